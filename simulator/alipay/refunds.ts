import { randomInt } from 'node:crypto';
import type { Payment, Refund } from '../records.ts';
import { recordId } from '../records.ts';
import type { RefundWish } from './fields.ts';
import { checked, RefundFields, RefundQueryFields } from './fields.ts';
import { refundNotice } from './notices.ts';
import type { Call, Platform } from './platform.ts';
import { Refusal, refusedAs, tradeNotExist } from './refusal.ts';
import { beijingDay, beijingTime } from './time.ts';
import { ownTrade } from './trades.ts';
import { BUYER_LOGON_ID, refundedFen, yuan } from './views.ts';

/** providers.md 1.6. */
const REFUND_WINDOW_MS = 365 * 24 * 3600 * 1000;

/** alipay.trade.refund: the same number and amount is the same refund; `fund_change` says whether money moved by this call. */
export function refundTrade(platform: Platform, { merchant, content }: Call): object {
  const { desk } = platform;
  const wish = checked(RefundFields, content);
  const payment = ownTrade(platform, merchant, wish);
  if (!payment) throw tradeNotExist(wish.out_trade_no);
  const number = wish.out_request_no ?? payment.outTradeNo;
  const earlier = desk.books.refund(refundId(payment, number));
  if (earlier && earlier.amount !== wish.refund_amount)
    throw refusedAs('DISCORDANT_REPEAT_REQUEST', '请求信息与前一次请求不一致');
  if (earlier && earlier.status !== 'failed') return refundAnswer(platform, payment, false);
  requireRefundable(platform, payment, wish);
  return refundAnswer(platform, payment, begun(platform, payment, number, wish.refund_amount));
}

/** alipay.trade.fastpay.refund.query: without `refund_status` where nothing went back under this number. */
export function queryRefund(platform: Platform, { merchant, content }: Call): object {
  const wish = checked(RefundQueryFields, content);
  const payment = ownTrade(platform, merchant, wish);
  if (!payment) throw tradeNotExist(wish.out_trade_no);
  const refund = platform.desk.books.refund(refundId(payment, wish.out_request_no));
  const said = { code: '10000', msg: 'Success' };
  if (refund?.status !== 'succeeded') return said;
  return {
    ...said,
    out_request_no: refund.outRefundNo,
    out_trade_no: payment.outTradeNo,
    refund_amount: yuan(refund.amount),
    refund_status: 'REFUND_SUCCESS',
    total_amount: yuan(payment.paidAmount ?? 0),
    trade_no: payment.tradeNo,
    ...(wish.query_options?.includes('gmt_refund_pay') && { gmt_refund_pay: beijingTime(refund.settledAt ?? 0) }),
  };
}

/** Gives back what is left; false where nothing is. For trade.cancel. */
export function refundWhole(platform: Platform, payment: Payment): boolean {
  const left = leftOf(platform, payment);
  if (left > 0) begun(platform, payment, `cancel-${payment.outTradeNo}`, left);
  return left > 0;
}

export function settleRefund(platform: Platform, refund: Refund): void {
  const { desk } = platform;
  const payment = desk.books.payment(refund.payment);
  if (!payment) return;
  const settled: Refund = { ...refund, status: refund.willFail ? 'failed' : 'succeeded', settledAt: desk.now() };
  const notice = refund.willFail ? null : refundNotice(platform, payment, settled);
  desk.announce({ refund: settled }, notice);
}

/** @returns whether the money moved at once, which it does unless a fault delays it */
function begun(platform: Platform, payment: Payment, number: string, amount: number): boolean {
  const { desk } = platform;
  const now = desk.now();
  const { refund_fails: willFail = false, refund_delay_ms: delayMs = 0 } = desk.faults.of('alipay');
  if (willFail && delayMs === 0) throw refusedAs('SELLER_BALANCE_NOT_ENOUGH', '卖家余额不足');
  const refund: Refund = {
    id: refundId(payment, number),
    provider: 'alipay',
    merchant: payment.merchant,
    payment: payment.id,
    outRefundNo: number,
    tradeNo: `${beijingDay(now)}22501${String(randomInt(1e14)).padStart(15, '0')}`,
    amount,
    currency: payment.currency,
    status: 'processing',
    willFail,
    createdAt: now,
    settlesAt: now + delayMs,
    settledAt: null,
    details: null,
  };
  desk.books.write({ refund });
  if (delayMs > 0) desk.settleLater(refund);
  else settleRefund(platform, refund);
  return delayMs === 0;
}

/** The merchant's number is its own within one trade only. */
const refundId = (payment: Payment, number: string): string =>
  recordId('alipay', payment.merchant, `${payment.outTradeNo}/${number}`);

function refundAnswer({ desk }: Platform, payment: Payment, hasMoved: boolean): object {
  const refunded = yuan(refundedFen(desk.books.refundsOf(payment)));
  return {
    code: '10000',
    msg: 'Success',
    buyer_logon_id: BUYER_LOGON_ID,
    fund_change: hasMoved ? 'Y' : 'N',
    ...(hasMoved && { gmt_refund_pay: beijingTime(desk.now()) }),
    out_trade_no: payment.outTradeNo,
    refund_fee: refunded,
    send_back_fee: refunded,
    trade_no: payment.tradeNo,
  };
}

function requireRefundable(platform: Platform, payment: Payment, wish: RefundWish): void {
  const { desk } = platform;
  const { paidAt } = payment;
  if (paidAt === null) throw refusedAs('TRADE_STATUS_ERROR', '交易状态不合法');
  if (desk.now() - paidAt > REFUND_WINDOW_MS) throw refusedAs('TRADE_HAS_FINISHED', '交易已完结');
  if (wish.refund_amount > leftOf(platform, payment)) throw refusedAs('REFUND_AMT_NOT_EQUAL_TOTAL', '退款金额超限');
  requireGap(desk.faults.of('alipay').refund_gap_ms ?? 0, desk.books.refundsOf(payment), desk.now());
}

function leftOf({ desk }: Platform, payment: Payment): number {
  const counted = desk.books.refundsOf(payment).filter(({ status }) => status !== 'failed');
  return counted.reduce((left, { amount }) => left - amount, payment.paidAmount ?? 0);
}

/** Fault `refund_gap_ms`: the real one wants three seconds between two refunds of a trade. */
function requireGap(gapMs: number, refunds: readonly Refund[], now: number): void {
  const last = Math.max(...refunds.map(({ createdAt }) => createdAt));
  if (now - last < gapMs) throw new Refusal('40005', 'isv.app-call-limited', '应用调用次数超限');
}
