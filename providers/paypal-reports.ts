/** What PayPal's objects mean to us: orders, captures, refunds, events (providers.md 5.2, 5.3, 5.7, 9). */
import * as z from 'zod';
import type { Money } from '../domain/money.ts';
import { readShape } from './adapting.ts';
import { moneyOf } from './paypal-money.ts';
import {
  NoticeRejected,
  ProviderError,
  type Notice,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { instantOf } from './text.ts';

/** How to say that something can't be read: an answer and a notice fail differently. */
type Fail = (flaw: string) => Error;
const malformed: Fail = (flaw) => new ProviderError('unknown', 'malformed_answer', `paypal: malformed answer: ${flaw}`);
const unreadable: Fail = (flaw) => new NoticeRejected(`paypal notice: ${flaw}`);

const Amount = z.object({ currency_code: z.string(), value: z.string() });
const Payee = z.object({ merchant_id: z.string().optional() }).optional();
const Capture = z.object({
  id: z.string().min(1).max(64),
  status: z.string(),
  status_details: z.object({ reason: z.string().optional() }).optional(),
  amount: Amount,
  custom_id: z.string().optional(),
  payee: Payee,
  create_time: z.string().optional(),
});
const Refund = z.object({
  id: z.string().min(1),
  status: z.string(),
  amount: Amount,
  custom_id: z.string().optional(),
  update_time: z.string().optional(),
});
const Order = z.object({
  id: z.string().min(1).max(36),
  status: z.string(),
  purchase_units: z
    .array(
      z.object({
        custom_id: z.string().optional(),
        payee: Payee,
        payments: z.object({ captures: z.array(Capture).default([]), refunds: z.array(Refund).default([]) }).optional(),
      }),
    )
    .min(1),
  links: z.array(z.object({ rel: z.string(), href: z.url() })).default([]),
});
const Event = z.object({ id: z.string().min(1).max(64), event_type: z.string(), resource: z.unknown() });

/** An order that was just made. @throws ProviderError unknown for one that is not what we asked for */
export function openedOrder(outTradeNo: string, answer: unknown): { reference: string; url: string } {
  const { id, purchase_units, links } = readShape(Order, answer, malformed);
  if (purchase_units[0]!.custom_id !== outTradeNo) throw mismatch('order');
  const url = links.find(({ rel }) => rel === 'payer-action' || rel === 'approve')?.href;
  if (url === undefined) throw malformed('no link for the payer');
  return { reference: id, url };
}

/** @throws ProviderError unknown, for an answer about another order or one that can't be read */
export function orderAnswered(merchantId: string, payment: PaymentRef, answer: unknown, nowMs: number): PaymentReport {
  const order = readShape(Order, answer, malformed);
  const [unit] = order.purchase_units;
  const payee = unit!.payee?.merchant_id ?? merchantId;
  if (order.id !== payment.reference || unit!.custom_id !== payment.outTradeNo || payee !== merchantId)
    throw mismatch('order');
  // One that was declined can be followed by one that takes the money.
  const { captures = [] } = unit!.payments ?? {};
  const capture = captures.find(({ status }) => !['DECLINED', 'FAILED'].includes(status)) ?? captures[0];
  if (capture) return captureReport(capture, nowMs, malformed);
  switch (order.status) {
    case 'CREATED':
    case 'SAVED':
    case 'PAYER_ACTION_REQUIRED':
      return { state: 'pending' };
    case 'APPROVED':
      return { state: 'approved' };
    case 'VOIDED':
      return { state: 'closed' };
    default: // COMPLETED says only that there is a payment: not without it.
      throw malformed('no state that could be without a capture');
  }
}

function captureReport(capture: z.infer<typeof Capture>, nowMs: number, fail: Fail): PaymentReport {
  const { id: tradeNo, status, status_details: details, amount, create_time } = capture;
  switch (status) {
    case 'COMPLETED':
    case 'PARTIALLY_REFUNDED':
    case 'REFUNDED':
      return { state: 'paid', tradeNo, money: moneyIn(amount, fail), paidAt: instantOf(create_time) ?? nowMs };
    case 'PENDING': // Under review, or a cheque on its way.
      return { state: 'processing' };
    case 'DECLINED':
    case 'FAILED':
      return { state: 'failed', reason: [status, details?.reason].filter(Boolean).join(' ') };
    default:
      throw fail('unheard-of capture status');
  }
}

/** @throws ProviderError unknown, for an answer about another refund or one that can't be read */
export function refundAnswered(request: RefundRequest, answer: unknown, nowMs: number): RefundReport {
  const refund = readShape(Refund, answer, malformed);
  const { amount, currency } = moneyIn(refund.amount, malformed);
  const { refund: asked, outRefundNo } = request;
  if (refund.custom_id !== outRefundNo || amount !== asked.amount || currency !== asked.currency)
    throw mismatch('refund');
  return refundReport(refund, nowMs, malformed);
}

/** There is no asking for a refund by our number: it stands in its order, or nowhere. */
export function refundInOrder(request: RefundRequest, answer: unknown, nowMs: number): RefundReport {
  const order = readShape(Order, answer, malformed);
  const [unit] = order.purchase_units;
  if (order.id !== request.reference || unit!.custom_id !== request.outTradeNo) throw mismatch('order');
  const refund = unit!.payments?.refunds.find(({ custom_id }) => custom_id === request.outRefundNo);
  return refund ? refundAnswered(request, refund, nowMs) : { state: 'unknown' };
}

function refundReport({ status, update_time }: z.infer<typeof Refund>, nowMs: number, fail: Fail): RefundReport {
  switch (status) {
    case 'COMPLETED':
      return { state: 'succeeded', settledAt: instantOf(update_time) ?? nowMs };
    case 'PENDING':
      return { state: 'processing' };
    case 'FAILED':
    case 'CANCELLED':
      return { state: 'failed', reason: status };
    default:
      throw fail('unheard-of refund status');
  }
}

type WithoutId<N> = N extends unknown ? Omit<N, 'id'> : never;
type Said = WithoutId<Notice>;
type Reader = (resource: unknown, ours: string, nowMs: number) => Said | null;
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['CHECKOUT.ORDER.APPROVED', approvalNotice],
  ['PAYMENT.CAPTURE.COMPLETED', captureNotice],
  ['PAYMENT.CAPTURE.PENDING', captureNotice],
  ['PAYMENT.CAPTURE.DENIED', captureNotice],
  ['PAYMENT.CAPTURE.DECLINED', captureNotice],
  ['PAYMENT.CAPTURE.REFUNDED', refundNotice],
]);

/**
 * A verified event's body.
 * @throws NoticeRejected; ProviderError refused `unhandled_notice` for other events, and for what isn't from us
 */
export function noticeIn(merchantId: string, body: unknown, nowMs: number): Notice {
  const { id, event_type, resource } = readShape(Event, body, unreadable);
  const said = READERS.get(event_type)?.(resource, merchantId, nowMs);
  if (!said) throw new ProviderError('refused', 'unhandled_notice', 'paypal: a genuine notice of another kind');
  return { id, ...said };
}

/** The webhook is our app's; an app may take money for others. */
const accountOf = (payee: z.infer<typeof Payee>, ours: string): Notice['account'] => ({
  merchantNo: payee?.merchant_id ?? ours,
  appId: null,
});

/** Not money yet: it can be captured now. */
function approvalNotice(resource: unknown, ours: string): Said | null {
  const [unit] = readShape(Order, resource, unreadable).purchase_units;
  if (unit!.custom_id === undefined) return null;
  const account = accountOf(unit!.payee, ours);
  return { account, about: 'payment', outTradeNo: unit!.custom_id, payment: { state: 'approved' } };
}

function captureNotice(resource: unknown, ours: string, nowMs: number): Said | null {
  const capture = readShape(Capture, resource, unreadable);
  if (capture.custom_id === undefined) return null;
  const payment = captureReport(capture, nowMs, unreadable);
  const account = accountOf(capture.payee, ours);
  return { account, about: 'payment', outTradeNo: capture.custom_id, payment };
}

/** Refunds made by hand at PayPal have no number of ours. */
function refundNotice(resource: unknown, ours: string, nowMs: number): Said | null {
  const refund = readShape(Refund, resource, unreadable);
  if (refund.custom_id === undefined) return null;
  const about = { account: accountOf(undefined, ours), about: 'refund', outTradeNo: null } as const;
  return { ...about, outRefundNo: refund.custom_id, refund: refundReport(refund, nowMs, unreadable) };
}

function moneyIn(amount: z.infer<typeof Amount>, fail: Fail): Money {
  const money = moneyOf(amount);
  if (!money) throw fail('amount');
  return money;
}

const mismatch = (what: string): ProviderError =>
  new ProviderError('unknown', `${what}_mismatch`, `paypal: the answer is about another ${what}`);
