/** What UnionPay's answers and notices mean to us (providers.md 3.5–3.7, 9). */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { readShape } from './adapting.ts';
import {
  NoticeRejected,
  ProviderError,
  type Notice,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { compactBeijingTime, instantOfCompact } from './text.ts';
import { readForm, type Message } from './unionpay-message.ts';
import type { UnionPayWire } from './unionpay-wire.ts';

/** How to say that something can't be read: an answer and a notice fail differently. */
type Fail = (flaw: string) => Error;
const malformed: Fail = (flaw) =>
  new ProviderError('unknown', 'malformed_answer', `unionpay: malformed answer: ${flaw}`);
const unreadable: Fail = (flaw) => new NoticeRejected(`unionpay notice: ${flaw}`);

/** A6: through, but with a defect that is not ours. */
const THROUGH = ['00', 'A6'];
const NOT_KNOWN_YET = ['03', '04', '05'];
export const NOT_FOUND = '34';

/** A payment that was in UnionPay's hands in its last second may be booked a little later. Milliseconds. */
const MARGIN = 60_000;

const digits = (longest: number) => z.string().regex(new RegExp(`^\\d{1,${longest}}$`));
const Settled = z.object({
  queryId: z.string().min(1).max(64),
  txnTime: digits(14),
  traceTime: z.string().regex(/^\d{10}$/),
  txnAmt: digits(12),
  currencyCode: z.string().default('156'),
});
const NoticeFields = z.object({
  merId: z.string().min(1),
  orderId: z.string().min(1),
  queryId: z.string().min(1).max(64),
  txnType: z.string(),
  respCode: z.string().regex(/^\w{2}$/),
  respMsg: z.string().default(''),
});

/** ISO 4217 by number: what UnionPay settles in. */
const CURRENCIES: Readonly<Record<string, string>> = {
  '156': 'CNY',
  '344': 'HKD',
  '392': 'JPY',
  '446': 'MOP',
  '702': 'SGD',
  '840': 'USD',
  '978': 'EUR',
};

/** The answer to a query about a payment. @throws ProviderError unknown where it is about something else */
export function paymentAnswered(payment: PaymentRef, answer: Message, nowMs: number): PaymentReport {
  const isOver = nowMs > payment.expiresAt + MARGIN;
  // The buyer's browser may not have been there yet.
  if (answer['respCode'] === NOT_FOUND) return isOver ? { state: 'closed' } : { state: 'unknown' };
  requireSame(answer, '01', payment.outTradeNo, payment.startedAt);
  const { origRespCode = '', origRespMsg = '' } = answer;
  if (THROUGH.includes(origRespCode)) return paid(answer, malformed);
  if (NOT_KNOWN_YET.includes(origRespCode)) return { state: 'pending' };
  // Another card may do it, until the time is over.
  return isOver
    ? { state: 'closed' }
    : { state: 'failed', reason: reasonOf(origRespCode, origRespMsg), mayYetBePaid: true };
}

/** The answer to a query about a refund. @throws ProviderError unknown where it is about something else */
export function refundAnswered(request: RefundRequest, answer: Message): RefundReport {
  if (answer['respCode'] === NOT_FOUND) return { state: 'unknown' };
  requireSame(answer, '04', request.outRefundNo, request.askedAt);
  const { origRespCode = '', origRespMsg = '', txnAmt } = answer;
  if (txnAmt !== String(request.refund.amount)) throw malformed('another amount');
  return refundOf(origRespCode, origRespMsg, answer, malformed);
}

/** An answer's signature doesn't cover the question: any other answer of UnionPay's to us would verify. */
function requireSame(answer: Message, txnType: string, number: string, startedAt: number): void {
  const { orderId, txnTime, txnType: kind } = answer;
  if (orderId === number && txnTime === compactBeijingTime(startedAt) && kind === txnType) return;
  throw new ProviderError('unknown', 'another_transaction', 'unionpay query: the answer is about another transaction');
}

/** @throws NoticeRejected; ProviderError refused `unhandled_notice` for other transactions */
export function noticeIn(wire: UnionPayWire, body: Uint8Array): Notice {
  if (body.byteLength > LIMITS.noticeBytes) throw unreadable('too large');
  const message = readForm(Buffer.from(body).toString('utf8'));
  if (!message) throw unreadable('a field stands there twice');
  const flaw = wire.flawIn(message);
  if (flaw !== undefined) throw unreadable(flaw);
  // Answers are signed alike, and their respCode says less: that we were heard.
  if ('origRespCode' in message || 'qrCode' in message) throw unreadable('an answer, not a notice');
  const { merId, orderId, queryId, txnType, respCode, respMsg } = readShape(NoticeFields, message, unreadable);
  const about = { id: `${queryId}-${respCode}`, account: { merchantNo: merId, appId: null } };
  if (txnType === '01') return { ...about, about: 'payment', outTradeNo: orderId, payment: told(respCode, message) };
  if (txnType !== '04') throw new ProviderError('refused', 'unhandled_notice', 'unionpay: a notice of another kind');
  const refund = refundOf(respCode, respMsg, message, unreadable);
  return { ...about, about: 'refund', outTradeNo: null, outRefundNo: orderId, refund };
}

/** Only a payment that came through is told; of anything else a query says more. */
function told(respCode: string, message: Message): PaymentReport {
  return THROUGH.includes(respCode) ? paid(message, unreadable) : { state: 'pending' };
}

function paid(message: Message, fail: Fail): PaymentReport {
  const { queryId, txnAmt, currencyCode } = readShape(Settled, message, fail);
  const currency = CURRENCIES[currencyCode];
  if (currency === undefined) throw fail('unheard-of currencyCode');
  return {
    state: 'paid',
    tradeNo: queryId,
    money: { amount: Number(txnAmt), currency },
    paidAt: settledAt(message, fail),
  };
}

function refundOf(code: string, words: string, message: Message, fail: Fail): RefundReport {
  if (THROUGH.includes(code)) return { state: 'succeeded', settledAt: settledAt(message, fail) };
  if (NOT_KNOWN_YET.includes(code)) return { state: 'processing' };
  if (code === '') throw fail('no state');
  return { state: 'failed', reason: reasonOf(code, words) };
}

const DAY = 24 * 60 * 60 * 1000;

/** UnionPay's time has no year: the one in which it comes after our own. Epoch milliseconds. */
function settledAt(message: Message, fail: Fail): number {
  const { txnTime, traceTime } = readShape(Settled, message, fail);
  const begun = instantOfCompact(txnTime);
  if (begun === undefined) throw fail('txnTime');
  const year = Number(txnTime.slice(0, 4));
  const moments = [year, year + 1].map((each) => instantOfCompact(`${each}${traceTime}`));
  const at = moments.find((moment) => moment !== undefined && moment > begun - DAY);
  if (at === undefined) throw fail('traceTime');
  return at;
}

/** For people: the code and UnionPay's words, which hold nothing about the buyer. */
export const reasonOf = (code: string, words: string): string => `${code} ${words.slice(0, 100)}`.trim();
