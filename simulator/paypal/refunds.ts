import type { Payment, Refund } from '../records.ts';
import { recordId } from '../records.ts';
import { checked, RefundFields } from './fields.ts';
import { minorUnits } from './money.ts';
import { ownCapture } from './orders.ts';
import type { Answer, Call, Platform, RefundDetails } from './platform.ts';
import { newId, refundDetails } from './platform.ts';
import { notFound, Refusal, unprocessable } from './refusal.ts';
import { refundObject } from './views.ts';
import { captureRefunded } from './webhooks.ts';

/** providers.md 0.2. */
const WINDOW_MS = 180 * 24 * 3600 * 1000;

/** POST /v2/payments/captures/{id}/refund: the same PayPal-Request-Id is the same refund. */
export function createRefund(platform: Platform, call: Call): Answer {
  const { desk } = platform;
  const wanted = checked(RefundFields, call.body ?? {});
  const payment = ownCapture(platform, call);
  const request = JSON.stringify(wanted);
  const earlier = desk.books
    .refundsOf(payment)
    .find((each) => call.requestId !== null && refundDetails(each).requestId === call.requestId);
  if (earlier) {
    if (refundDetails(earlier).request !== request)
      throw unprocessable('PAYPAL_REQUEST_ID_PREVIOUSLY_USED', 'The PayPal-Request-Id was used for another request.');
    return { status: 200, body: refundObject(platform, payment, earlier) };
  }
  const refund = newRefund(platform, call, payment, wanted, request);
  desk.books.write({ refund });
  // By itself a refund is done at once; only the faults make it wait.
  if (refund.settlesAt <= desk.now() && !refund.willFail) settleRefund(platform, refund);
  else desk.settleLater(refund);
  return { status: 201, body: refundObject(platform, payment, desk.books.refund(refund.id) ?? refund) };
}

/** GET /v2/payments/refunds/{id} */
export function getRefund(platform: Platform, { merchant, path }: Call): Answer {
  const refund = platform.desk.books.refund(recordId('paypal', merchant.clientId, path['refund_id'] ?? ''));
  const payment = refund && platform.desk.books.payment(refund.payment);
  if (!refund || !payment) throw notFound();
  return { status: 200, body: refundObject(platform, payment, refund) };
}

export function settleRefund(platform: Platform, refund: Refund): void {
  const { desk } = platform;
  const payment = desk.books.payment(refund.payment);
  if (!payment) return;
  const settled: Refund = { ...refund, status: refund.willFail ? 'failed' : 'succeeded', settledAt: desk.now() };
  if (refund.willFail) return desk.announce({ refund: settled }, null);
  desk.books.write({ refund: settled }); // The event tells of it as it is now.
  desk.announce({ refund: settled }, captureRefunded(platform, payment, settled));
}

function newRefund({ desk }: Platform, call: Call, payment: Payment, wanted: RefundFields, request: string): Refund {
  const now = desk.now();
  const {
    refund_fails: willFail = false,
    refund_delay_ms: delayMs = 0,
    refund_gap_ms: gapMs = 0,
  } = desk.faults.of('paypal');
  const refunds = desk.books.refundsOf(payment);
  const last = refunds.at(-1);
  if (last && now - last.createdAt < gapMs)
    throw new Refusal(429, 'RATE_LIMIT_REACHED', 'Too many requests. Blocked due to rate limiting.');
  const amount = refundable(refunds, payment, wanted, now);
  const { custom_id: customId = null, invoice_id: invoiceId = null, note_to_payer: note = null } = wanted;
  const details: RefundDetails = { requestId: call.requestId, request, customId, invoiceId, note };
  const tradeNo = newId();
  return {
    id: recordId('paypal', payment.merchant, tradeNo),
    provider: 'paypal',
    merchant: payment.merchant,
    payment: payment.id,
    outRefundNo: customId ?? tradeNo,
    tradeNo,
    amount,
    currency: payment.currency,
    status: 'processing',
    willFail,
    createdAt: now,
    settlesAt: now + delayMs,
    settledAt: null,
    details,
  };
}

/** The amount that may go back, in minor units. */
function refundable(refunds: readonly Refund[], payment: Payment, wanted: RefundFields, now: number): number {
  const counted = refunds.filter(({ status }) => status !== 'failed');
  const left = counted.reduce((sum, { amount }) => sum - amount, payment.paidAmount ?? 0);
  if (wanted.amount && wanted.amount.currency_code !== payment.currency)
    throw unprocessable('REFUND_CAPTURE_CURRENCY_MISMATCH', 'Refund must be in the same currency as the capture.');
  if (now - (payment.paidAt ?? 0) > WINDOW_MS)
    throw unprocessable(
      'REFUND_TIME_LIMIT_EXCEEDED',
      'You are over the time limit to perform a refund on this capture.',
    );
  if (left === 0) throw unprocessable('CAPTURE_FULLY_REFUNDED', 'The capture has already been fully refunded.');
  const amount = wanted.amount ? minorUnits(wanted.amount, '/amount') : left;
  if (amount > left)
    throw unprocessable(
      'REFUND_AMOUNT_EXCEEDED',
      'The refund amount must be less than or equal to the capture amount that has not yet been refunded.',
    );
  return amount;
}
