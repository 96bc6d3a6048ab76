import { z } from 'zod';
import type { Payment, Refund } from '../records.ts';
import { recordId } from '../records.ts';
import { REFUND_DELAY_MS } from '../settlements.ts';
import { refundEvent } from './events.ts';
import { checked, integer, list, metadata } from './form.ts';
import type { Call, Platform, RefundDetails } from './platform.ts';
import { newId, sessionDetails } from './platform.ts';
import { missing, Refusal } from './refusal.ts';
import { listObject, refundObject } from './views.ts';

const expand = list(z.string()).optional();
const RefundFields = z.strictObject({
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
  amount: integer.refine((value) => value > 0, 'must be at least 1').optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
  expand,
});

/** POST /v1/refunds. @returns the refund to be written, and the answer */
export function createRefund(platform: Platform, call: Call): { refund: Refund; answer: object } {
  const wish = checked(RefundFields, call.params);
  const payment = paidPayment(platform, call, wish);
  const left = leftOf(platform, payment);
  if (left === 0)
    throw new Refusal(400, `Charge ${sessionDetails(payment).charge} has already been refunded.`, {
      code: 'charge_already_refunded',
      kept: true,
    });
  const { amount = left, reason = null } = wish;
  if (amount > left)
    throw new Refusal(400, `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
      kept: true,
    });
  requireGap(platform, payment);
  const { intent, charge } = sessionDetails(payment);
  const details: RefundDetails = {
    metadata: wish.metadata ?? {},
    reason,
    intent: intent ?? '',
    charge: charge ?? '',
    kept: null,
  };
  const refund = newRefund(platform, payment, amount, details);
  return { refund, answer: refundObject(refund) };
}

/** What follows the writing of a new refund. */
export function begun(platform: Platform, refund: Refund): void {
  const payment = platform.desk.books.payment(refund.payment);
  if (payment) platform.desk.announce({}, refundEvent(platform, payment, refund, 'refund.created'));
  if (refund.status === 'processing') platform.desk.settleLater(refund);
}

/** Cards are refunded at once, unless a fault delays it or makes it fail. */
function newRefund({ desk }: Platform, payment: Payment, amount: number, details: RefundDetails): Refund {
  const now = desk.now();
  const { refund_fails: willFail = false, refund_delay_ms: delayMs } = desk.faults.of('stripe');
  const isLater = willFail || (delayMs ?? 0) > 0;
  const tradeNo = newId('re');
  return {
    id: recordId('stripe', payment.merchant, tradeNo),
    provider: 'stripe',
    merchant: payment.merchant,
    payment: payment.id,
    outRefundNo: details.metadata['out_refund_no'] ?? tradeNo,
    tradeNo,
    amount,
    currency: payment.currency,
    status: isLater ? 'processing' : 'succeeded',
    willFail,
    createdAt: now,
    settlesAt: now + (delayMs ?? REFUND_DELAY_MS),
    settledAt: isLater ? null : now,
    details,
  };
}

export function settleRefund(platform: Platform, refund: Refund): void {
  const { desk } = platform;
  const payment = desk.books.payment(refund.payment);
  if (!payment) return;
  const settled: Refund = { ...refund, status: refund.willFail ? 'failed' : 'succeeded', settledAt: desk.now() };
  const type = refund.willFail ? 'refund.failed' : 'refund.updated';
  desk.announce({ refund: settled }, refundEvent(platform, payment, settled, type));
}

/** GET /v1/refunds/{id} */
export function readRefund({ desk }: Platform, { merchant, path, params }: Call): object {
  checked(z.strictObject({ expand }), params);
  const id = path['id'] ?? '';
  const refund = desk.books.refund(recordId('stripe', merchant.stripeAccount, id));
  if (!refund) throw missing('refund', id);
  return refundObject(refund);
}

const ListFields = z.strictObject({
  payment_intent: z.string().optional(),
  limit: integer.refine((value) => value >= 1 && value <= 100, 'between 1 and 100').optional(),
  starting_after: z.string().optional(),
});

/** GET /v1/refunds?payment_intent=…: newest first. */
export function listRefunds(platform: Platform, call: Call): object {
  const { payment_intent: intent = '', limit = 10, starting_after: after } = checked(ListFields, call.params);
  const payment = platform.desk.books.paymentByAlias('stripe', intent);
  const isOurs = payment?.merchant === call.merchant.stripeAccount;
  const all = isOurs ? platform.desk.books.refundsOf(payment).toReversed() : [];
  const from = after === undefined ? 0 : all.findIndex(({ tradeNo }) => tradeNo === after) + 1;
  return listObject('/v1/refunds', all.slice(from, from + limit).map(refundObject), from + limit < all.length);
}

function paidPayment({ desk }: Platform, { merchant }: Call, wish: z.infer<typeof RefundFields>): Payment {
  const { payment_intent: intent, charge } = wish;
  const id = intent ?? charge;
  if (id === undefined || (intent !== undefined && charge !== undefined))
    throw new Refusal(400, 'One of the following params should be provided: payment_intent or charge.', {
      code: 'parameter_missing',
    });
  const payment = desk.books.paymentByAlias('stripe', id);
  const isKnown =
    payment?.merchant === merchant.stripeAccount &&
    [sessionDetails(payment).intent, sessionDetails(payment).charge].includes(id);
  if (!isKnown) throw missing(intent ? 'payment_intent' : 'charge', id, intent ? 'payment_intent' : 'charge');
  if (payment.status === 'paid') return payment;
  throw new Refusal(400, `This PaymentIntent (${id}) does not have a successful charge to refund.`, {
    code: 'payment_intent_unexpected_state',
    kept: true,
  });
}

function leftOf({ desk }: Platform, payment: Payment): number {
  const counted = desk.books.refundsOf(payment).filter(({ status }) => status !== 'failed');
  return counted.reduce((left, { amount }) => left - amount, payment.paidAmount ?? 0);
}

/** Fault `refund_gap_ms`. */
function requireGap({ desk }: Platform, payment: Payment): void {
  const gapMs = desk.faults.of('stripe').refund_gap_ms ?? 0;
  const last = Math.max(...desk.books.refundsOf(payment).map(({ createdAt }) => createdAt));
  if (desk.now() - last < gapMs) throw new Refusal(429, 'Too many requests.', { code: 'rate_limit' });
}
