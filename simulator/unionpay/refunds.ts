import type { Payment, Refund } from '../records.ts';
import { REFUND_DELAY_MS } from '../settlements.ts';
import type { RefundWish } from './fields.ts';
import { checked, refundFields } from './fields.ts';
import type { Message } from './message.ts';
import { refundNotice } from './notices.ts';
import { queryId } from './payments.ts';
import type { Call, Platform, RefundDetails } from './platform.ts';
import { isTaken, paymentDetails, transactionId } from './platform.ts';
import { duplicate, Refusal } from './refusal.ts';

const DAY_MS = 24 * 3600 * 1000;
/** By contract; this one's is 330 days, 30 for what was paid by code (providers.md 3.8). */
const WINDOW_MS = { '01': 330 * DAY_MS, '07': 30 * DAY_MS };

/** backTransReq.do 04/00. Two numbers are two refunds; the same one again is a duplicate (providers.md 3.8). */
export function refund(platform: Platform, call: Call): Message {
  const { desk } = platform;
  const wish = checked<RefundWish>(refundFields(platform.mayNotifyLocalHttp), call.message);
  if (isTaken(platform, transactionId(call.merchant.merId, wish))) throw duplicate();
  const payment = desk.books.paymentByAlias('unionpay', wish.origQryId);
  if (payment?.merchant !== call.merchant.merId || payment.tradeNo !== wish.origQryId)
    throw new Refusal('35', '原交易不存在或状态不正确[2011000]');
  requireRefundable(platform, payment, wish);
  const made = newRefund(platform, payment, wish);
  desk.books.write({ refund: made });
  desk.settleLater(made);
  return { queryId: made.tradeNo, origQryId: wish.origQryId };
}

export function settleRefund({ desk }: Platform, refund: Refund): void {
  const payment = desk.books.payment(refund.payment);
  if (!payment) return;
  const done: Refund = { ...refund, status: refund.willFail ? 'failed' : 'succeeded', settledAt: desk.now() };
  desk.announce({ refund: done }, refundNotice(payment, done, refundState(done)));
}

/** How the refund stands, as a query and a notice tell it. */
export function refundState({ status }: Refund): { code: string; message: string } {
  switch (status) {
    case 'succeeded':
      return { code: '00', message: '成功[0000000]' };
    case 'processing':
      return { code: '05', message: '交易已受理，请稍后查询交易结果[0500000]' };
    case 'failed':
      return { code: '61', message: '银行卡无效[6100000]' };
  }
}

function requireRefundable({ desk }: Platform, payment: Payment, { txnAmt, bizType }: RefundWish): void {
  const details = paymentDetails(payment);
  if (details.bizType !== bizType) throw new Refusal('36', '与原交易信息不符[3600000]');
  if (desk.now() - (payment.paidAt ?? 0) > WINDOW_MS[details.txnSubType])
    throw new Refusal('39', '交易不在受理时间范围内[3900000]');
  const refunds = desk.books.refundsOf(payment);
  const last = refunds.at(-1);
  if (last && desk.now() - last.createdAt < (desk.faults.of('unionpay').refund_gap_ms ?? 0))
    throw new Refusal('06', '系统繁忙，请稍后再试[0600000]');
  const counted = refunds.filter(({ status }) => status !== 'failed');
  const left = counted.reduce((sum, { amount }) => sum - amount, payment.paidAmount ?? 0);
  if (left === 0) throw new Refusal('45', '原交易已被成功退货或已被成功撤销[4500000]');
  if (Number(txnAmt) > left) throw new Refusal('36', '退货金额大于原交易可退金额[2050004]');
}

function newRefund({ desk }: Platform, payment: Payment, wish: RefundWish): Refund {
  const now = desk.now();
  const { refund_fails: willFail = false, refund_delay_ms: delayMs = REFUND_DELAY_MS } = desk.faults.of('unionpay');
  const { txnTime, bizType, backUrl, reqReserved = null } = wish;
  const details: RefundDetails = { txnTime, bizType, backUrl, reqReserved };
  return {
    id: transactionId(payment.merchant, wish),
    provider: 'unionpay',
    merchant: payment.merchant,
    payment: payment.id,
    outRefundNo: wish.orderId,
    tradeNo: queryId(now),
    amount: Number(wish.txnAmt),
    currency: payment.currency,
    status: 'processing',
    willFail,
    createdAt: now,
    settlesAt: now + delayMs,
    settledAt: null,
    details,
  };
}
