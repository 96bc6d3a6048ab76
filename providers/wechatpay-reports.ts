/** What WeChat Pay's objects mean to us: transactions, refunds, notices (providers.md 2.7, 2.8, 2.10, 9). */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { readShape } from './adapting.ts';
import { parseJson } from './http.ts';
import {
  NoticeRejected,
  ProviderError,
  type Notice,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { instantOf } from './text.ts';
import type { WechatPayAccount, WechatPayWire } from './wechatpay-wire.ts';

/** How to say that something can't be read: an answer and a notice fail differently. */
type Fail = (flaw: string) => Error;
const malformed: Fail = (flaw) =>
  new ProviderError('unknown', 'malformed_answer', `wechatpay: malformed answer: ${flaw}`);
const unreadable: Fail = (flaw) => new NoticeRejected(`wechatpay notice: ${flaw}`);

const Transaction = z.object({
  appid: z.string().min(1),
  mchid: z.string().min(1),
  out_trade_no: z.string().min(1),
  trade_state: z.string(),
  transaction_id: z.unknown().optional(),
  success_time: z.string().nullish(),
  amount: z.unknown().optional(),
});
const PaidPart = z.object({
  transaction_id: z.string().min(1).max(64),
  // What the order costs: payer_total is less where WeChat Pay gave a discount of its own.
  amount: z.object({ total: z.int().positive(), currency: z.string().regex(/^[A-Z]{3}$/) }),
});
const RefundAnswer = z.object({
  out_trade_no: z.string(),
  out_refund_no: z.string(),
  status: z.string(),
  success_time: z.string().nullish(),
  amount: z.object({ refund: z.int(), currency: z.string() }),
});
const RefundNotice = z.object({
  mchid: z.string().min(1),
  out_trade_no: z.string().min(1),
  out_refund_no: z.string().min(1),
  refund_status: z.string(),
  success_time: z.string().nullish(),
});
const Envelope = z.object({ id: z.string().min(1).max(64), event_type: z.string() });
const Encrypted = z.object({
  resource: z.object({
    algorithm: z.literal('AEAD_AES_256_GCM'),
    ciphertext: z.string(),
    nonce: z.string(),
    associated_data: z.string().nullish(),
  }),
});

/** Official account and mini-program may be two apps of one merchant. */
export const isOurApp = ({ appid, miniAppid }: Pick<WechatPayAccount, 'appid' | 'miniAppid'>, given: string): boolean =>
  given === appid || given === miniAppid;

/** @throws ProviderError unknown, for an answer about another payment or one that can't be read */
export function paymentAnswered(
  account: Pick<WechatPayAccount, 'mchid' | 'appid' | 'miniAppid'>,
  outTradeNo: string,
  answer: unknown,
  nowMs: number,
): PaymentReport {
  const transaction = readShape(Transaction, answer, malformed);
  const { mchid, appid, out_trade_no } = transaction;
  // An answer's signature doesn't cover the question: any answer of the last five minutes would verify here.
  if (mchid === account.mchid && isOurApp(account, appid) && out_trade_no === outTradeNo) {
    return paymentOf(transaction, nowMs, malformed);
  }
  throw new ProviderError('unknown', 'account_mismatch', 'wechatpay query: the answer is about another payment');
}

/** @throws ProviderError unknown, for an answer about another refund or one that can't be read */
export function refundAnswered(request: RefundRequest, answer: unknown, nowMs: number): RefundReport {
  const { status, success_time, ...said } = readShape(RefundAnswer, answer, malformed);
  const ours =
    said.out_refund_no === request.outRefundNo &&
    said.out_trade_no === request.outTradeNo &&
    said.amount.refund === request.refund.amount &&
    said.amount.currency === request.refund.currency;
  if (ours) return refundOf(status, success_time, nowMs, malformed);
  throw new ProviderError('unknown', 'refund_mismatch', 'wechatpay refund: the answer is about another refund');
}

/** One field of the answer to an opening. @throws ProviderError unknown */
export function fieldOf(answer: unknown, name: 'code_url' | 'prepay_id' | 'h5_url'): string {
  return readShape(z.object({ [name]: z.string().min(1) }), answer, malformed)[name]!;
}

/**
 * Section 2.10, in its order.
 * @throws NoticeRejected; ProviderError refused `unhandled_notice` for other events, busy where WeChat Pay's
 * certificates can't be had now: to be sent again
 */
export async function noticeIn(
  wire: WechatPayWire,
  headers: Headers,
  body: Uint8Array,
  nowMs: number,
): Promise<Notice> {
  if (body.byteLength > LIMITS.noticeBytes) throw unreadable('too large');
  const flaw = await wire.flawIn(headers, body);
  if (flaw !== undefined) throw unreadable(flaw);
  const json = parseJson(body);
  const { id, event_type } = readShape(Envelope, json, unreadable);
  const reader = READERS.get(event_type);
  // Genuine, but not about orders: whoever keeps it may say "accepted"; it comes again for a day otherwise.
  if (!reader) throw new ProviderError('refused', 'unhandled_notice', 'wechatpay: a genuine notice of another kind');
  const { ciphertext, nonce, associated_data } = readShape(Encrypted, json, unreadable).resource;
  const plain = wire.decrypt({ ciphertext, nonce, associatedData: associated_data ?? '' });
  if (!plain) throw unreadable('does not decrypt with our APIv3 key');
  return reader(id, parseJson(plain), nowMs);
}

type Reader = (id: string, plain: unknown, nowMs: number) => Notice;
const READERS: ReadonlyMap<string, Reader> = new Map([
  ['TRANSACTION.SUCCESS', paymentNotice],
  ['REFUND.SUCCESS', refundNotice],
  ['REFUND.ABNORMAL', refundNotice],
  ['REFUND.CLOSED', refundNotice],
]);

function paymentNotice(id: string, plain: unknown, nowMs: number): Notice {
  const transaction = readShape(Transaction, plain, unreadable);
  const { mchid: merchantNo, appid: appId, out_trade_no: outTradeNo } = transaction;
  const payment = paymentOf(transaction, nowMs, unreadable);
  return { id, account: { merchantNo, appId }, outTradeNo, about: 'payment', payment };
}

function refundNotice(id: string, plain: unknown, nowMs: number): Notice {
  const said = readShape(RefundNotice, plain, unreadable);
  return {
    id,
    account: { merchantNo: said.mchid, appId: null },
    outTradeNo: said.out_trade_no,
    about: 'refund',
    outRefundNo: said.out_refund_no,
    refund: refundOf(said.refund_status, said.success_time, nowMs, unreadable),
  };
}

/** Sections 2.7 and 9. */
function paymentOf(transaction: z.infer<typeof Transaction>, nowMs: number, fail: Fail): PaymentReport {
  switch (transaction.trade_state) {
    case 'SUCCESS':
    case 'REFUND': // Some of it went back, so it had been paid.
      return paid(transaction, nowMs, fail);
    case 'NOTPAY':
    case 'ACCEPT':
      return { state: 'pending' };
    case 'USERPAYING':
      return { state: 'processing' };
    case 'CLOSED':
    case 'REVOKED':
      return { state: 'closed' };
    case 'PAYERROR':
      return { state: 'failed', reason: 'PAYERROR' };
    default:
      throw fail('unheard-of trade_state');
  }
}

function paid(transaction: z.infer<typeof Transaction>, nowMs: number, fail: Fail): PaymentReport {
  const { transaction_id: tradeNo, amount } = readShape(PaidPart, transaction, fail);
  // Money counts also where its time is missing.
  const paidAt = instantOf(transaction.success_time) ?? nowMs;
  return { state: 'paid', tradeNo, money: { amount: amount.total, currency: amount.currency }, paidAt };
}

/** Sections 2.8 and 9. */
function refundOf(status: string, successTime: string | null | undefined, nowMs: number, fail: Fail): RefundReport {
  switch (status) {
    case 'SUCCESS':
      return { state: 'succeeded', settledAt: instantOf(successTime) ?? nowMs };
    case 'PROCESSING':
    // The buyer's card no longer takes it. Not the end: once somebody has handled it in WeChat Pay's console this very
    // refund can succeed, and a second one beside it would pay twice.
    case 'ABNORMAL':
      return { state: 'processing' };
    case 'CLOSED':
      return { state: 'failed', reason: 'CLOSED' };
    default:
      throw fail('unheard-of refund status');
  }
}
