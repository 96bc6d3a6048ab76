/** What Alipay's objects mean to us: trades, refunds, notices (providers.md 1.5, 1.7, 1.8, 9). */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { readShape } from './adapting.ts';
import type { Params } from './alipay-signing.ts';
import { alipayInstant, type AlipayWire } from './alipay-wire.ts';
import {
  NoticeRejected,
  ProviderError,
  type Notice,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';

const Trade = z.object({
  out_trade_no: z.string(),
  trade_no: z.string().min(1).max(64),
  trade_status: z.string(),
  total_amount: z.string(),
  send_pay_date: z.string().optional(),
});
const PaidByCode = z.object({
  out_trade_no: z.string(),
  trade_no: z.string().min(1).max(64),
  total_amount: z.string(),
  gmt_payment: z.string().optional(),
});
const Waiting = z.object({ code: z.string(), out_trade_no: z.string() });
const Refunded = z.object({
  out_trade_no: z.string(),
  fund_change: z.enum(['Y', 'N']),
  gmt_refund_pay: z.string().optional(),
});
const FoundRefund = z.object({
  out_request_no: z.string(),
  refund_amount: z.string(),
  refund_status: z.literal('REFUND_SUCCESS'),
  gmt_refund_pay: z.string().optional(),
});

/** Fen as Alipay writes money: 8888 → `88.88`. */
export function yuan(fen: number): string {
  const digits = String(fen).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** `88.88`, `88.8` or `88` in fen, without floating point; undefined for anything else. */
export function fenOf(amount: string): number | undefined {
  const [, whole, cents = ''] = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(amount) ?? [];
  return whole === undefined ? undefined : Number(whole + cents.padEnd(2, '0'));
}

const malformed = (flaw: string): ProviderError =>
  new ProviderError('unknown', 'malformed_answer', `alipay: malformed answer: ${flaw}`);
const unreadable = (flaw: string): Error => new NoticeRejected(`alipay notice: ${flaw}`);

/** The answer to a query. @throws ProviderError unknown, for an answer about another payment or one that can't be read */
export function tradeAnswered({ outTradeNo, method }: PaymentRef, node: unknown, nowMs: number): PaymentReport {
  const trade = readShape(Trade, node, malformed);
  if (trade.out_trade_no !== outTradeNo) throw aboutAnother('query');
  const paidAt = alipayInstant(trade.send_pay_date);
  const capture = () => ({
    tradeNo: trade.trade_no,
    money: cny(trade.total_amount, malformed),
    paidAt: paidAt ?? nowMs,
  });
  const byCode = method === 'alipay.barcode';
  switch (trade.trade_status) {
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED':
      return { state: 'paid', ...capture() };
    case 'WAIT_BUYER_PAY': // There is a trade only once the buyer has come to it.
      return { state: 'processing' };
    case 'TRADE_CLOSED':
      if (trade.send_pay_date === undefined) return { state: 'closed' };
      // All of it went back (1.7). By code that was the revoke, whose answer may have been lost.
      return byCode ? { state: 'revoked', ...capture(), settledAt: nowMs } : { state: 'paid', ...capture() };
    default:
      throw malformed('unheard-of trade_status');
  }
}

/** The answer to a bar code: paid at once, or the buyer types a password. @throws ProviderError unknown */
export function barcodeAnswered(outTradeNo: string, node: unknown, nowMs: number): PaymentReport {
  const { code, out_trade_no } = readShape(Waiting, node, malformed);
  if (out_trade_no !== outTradeNo) throw aboutAnother('pay');
  if (code === '10003') return { state: 'processing' };
  const { trade_no: tradeNo, total_amount, gmt_payment } = readShape(PaidByCode, node, malformed);
  const paidAt = alipayInstant(gmt_payment) ?? nowMs;
  return { state: 'paid', tradeNo, money: cny(total_amount, malformed), paidAt };
}

/** undefined where this call moved no money: what became of it, only a query tells. @throws ProviderError unknown */
export function refundAnswered({ outTradeNo }: RefundRequest, node: unknown, nowMs: number): RefundReport | undefined {
  const { out_trade_no, fund_change, gmt_refund_pay } = readShape(Refunded, node, malformed);
  if (out_trade_no !== outTradeNo) throw aboutAnother('refund');
  if (fund_change === 'N') return undefined;
  return { state: 'succeeded', settledAt: alipayInstant(gmt_refund_pay) ?? nowMs };
}

/** Without a status nothing went back under this number, or not yet. @throws ProviderError unknown */
export function refundFound(request: RefundRequest, node: unknown, nowMs: number): RefundReport {
  if ((node as { refund_status?: unknown }).refund_status === undefined) return { state: 'unknown' };
  const { out_request_no, refund_amount, gmt_refund_pay } = readShape(FoundRefund, node, malformed);
  if (out_request_no !== request.outRefundNo || fenOf(refund_amount) !== request.refund.amount)
    throw aboutAnother('queryRefund');
  return { state: 'succeeded', settledAt: alipayInstant(gmt_refund_pay) ?? nowMs };
}

const Told = z.object({
  notify_id: z.string().min(1).max(128),
  app_id: z.string().min(1),
  seller_id: z.string().min(1),
  out_trade_no: z.string().min(1),
  trade_no: z.string().min(1).max(64),
  trade_status: z.string(),
  total_amount: z.string(),
  gmt_payment: z.string().optional(),
  gmt_refund: z.string().optional(),
  refund_fee: z.string().optional(),
  out_biz_no: z.string().optional(),
});

/**
 * Section 1.8. Alipay repeats for a day, each time with a new time and the same `notify_id`: that, not the age, makes a
 * second one harmless. @throws NoticeRejected; ProviderError refused `unhandled_notice` for other kinds
 */
export function noticeIn(wire: AlipayWire, body: Uint8Array, nowMs: number): Notice {
  if (body.byteLength > LIMITS.noticeBytes) throw unreadable('too large');
  const fields = fieldsOf(body);
  const flaw = wire.flawIn(fields);
  if (flaw !== undefined) throw unreadable(flaw);
  if (fields['notify_type'] !== 'trade_status_sync') throw unhandled();
  const told = readShape(Told, fields, unreadable);
  const about = {
    id: told.notify_id,
    account: { merchantNo: told.seller_id, appId: told.app_id },
    outTradeNo: told.out_trade_no,
  };
  if (told.refund_fee === undefined && told.gmt_refund === undefined)
    return { ...about, about: 'payment', payment: paymentTold(told, nowMs) };
  if (told.out_biz_no === undefined) throw unhandled();
  const refund: RefundReport = { state: 'succeeded', settledAt: alipayInstant(told.gmt_refund) ?? nowMs };
  return { ...about, about: 'refund', outRefundNo: told.out_biz_no, refund };
}

/** Genuine, but nothing that an order waits for: whoever keeps it may say "accepted". */
const unhandled = (): ProviderError =>
  new ProviderError('refused', 'unhandled_notice', 'alipay: a genuine notice of another kind');

function fieldsOf(body: Uint8Array): Params {
  const pairs = [...new URLSearchParams(Buffer.from(body).toString('utf8'))];
  const fields = Object.fromEntries(pairs);
  if (Object.keys(fields).length !== pairs.length) throw unreadable('names a field twice');
  return fields;
}

function paymentTold(told: z.infer<typeof Told>, nowMs: number): PaymentReport {
  switch (told.trade_status) {
    case 'WAIT_BUYER_PAY':
      return { state: 'processing' };
    case 'TRADE_CLOSED':
      return { state: 'closed' };
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED': {
      const { trade_no: tradeNo, total_amount, gmt_payment } = told;
      const paidAt = alipayInstant(gmt_payment) ?? nowMs;
      return { state: 'paid', tradeNo, money: cny(total_amount, unreadable), paidAt };
    }
    default:
      throw unreadable('unheard-of trade_status');
  }
}

function cny(amount: string, fail: (flaw: string) => Error): { amount: number; currency: string } {
  const fen = fenOf(amount);
  if (fen === undefined || fen === 0) throw fail('total_amount');
  return { amount: fen, currency: 'CNY' };
}

const aboutAnother = (what: string): ProviderError =>
  new ProviderError('unknown', 'answer_mismatch', `alipay ${what}: the answer is about something else`);

/** One field of the answer to an opening. @throws ProviderError unknown */
export const qrCodeIn = (outTradeNo: string, node: unknown): string => {
  const { out_trade_no, qr_code } = readShape(
    z.object({ out_trade_no: z.string(), qr_code: z.string().min(1) }),
    node,
    malformed,
  );
  if (out_trade_no !== outTradeNo) throw aboutAnother('precreate');
  return qr_code;
};

/** What a revoke did: nothing more to do, or to be asked for again. @throws ProviderError unknown */
export const revokeAnswered = (node: unknown): { retry: boolean; refunded: boolean } => {
  const { retry_flag, action } = readShape(
    z.object({ retry_flag: z.enum(['Y', 'N']), action: z.string().optional() }),
    node,
    malformed,
  );
  return { retry: retry_flag === 'Y', refunded: action === 'refund' };
};
