import { randomInt } from 'node:crypto';
import type { Payment, Refund } from '../records.ts';
import { recordId } from '../records.ts';
import { REFUND_DELAY_MS } from '../settlements.ts';
import type { RefundFields } from './fields.ts';
import { checked, refundFields } from './fields.ts';
import { refundNotice } from './notices.ts';
import type { Answer, Call, Platform, RefundDetails } from './platform.ts';
import { refundDetails } from './platform.ts';
import { Refusal } from './refusal.ts';
import { beijingDay } from './time.ts';
import { ownPayment, paidAs } from './transactions.ts';
import { refundObject } from './views.ts';

/** providers.md 2.8. */
const MOST_REFUNDS = 50;
const REFUND_WINDOW_MS = 365 * 24 * 3600 * 1000;

/** POST /v3/refund/domestic/refunds: the same number is the same refund. */
export function createRefund(platform: Platform, call: Call): Answer {
  const { desk } = platform;
  const wanted = checked(refundFields(platform.mayNotifyLocalHttp), call.body);
  const payment = refundedPayment(platform, call, wanted);
  const earlier = desk.books.refund(recordId('wechatpay', call.merchant.mchid, wanted.out_refund_no));
  if (earlier) return { status: 200, body: refundObject(payment, sameRefund(earlier, payment, wanted)) };
  requireRefundable(platform, payment, wanted);
  const refund = newRefund(platform, call, payment, wanted);
  desk.books.write({ refund });
  desk.settleLater(refund);
  return { status: 200, body: refundObject(payment, refund) };
}

/** GET /v3/refund/domestic/refunds/{out_refund_no} */
export function queryRefund({ desk }: Platform, { merchant, path }: Call): Answer {
  const refund = desk.books.refund(recordId('wechatpay', merchant.mchid, path['out_refund_no'] ?? ''));
  const payment = refund && desk.books.payment(refund.payment);
  if (!payment) throw new Refusal(404, 'RESOURCE_NOT_EXISTS', '退款单不存在');
  return { status: 200, body: refundObject(payment, refund) };
}

/** A refund that failed is CLOSED: final, and its amount can be refunded again under a new number. */
export function settleRefund(platform: Platform, refund: Refund): void {
  const { desk } = platform;
  const payment = desk.books.payment(refund.payment);
  if (!payment) return;
  const settled: Refund = { ...refund, status: refund.willFail ? 'failed' : 'succeeded', settledAt: desk.now() };
  desk.announce({ refund: settled }, refundNotice(platform, payment, settled));
}

function refundedPayment(platform: Platform, { merchant }: Call, wanted: RefundFields): Payment {
  const { transaction_id: tradeNo, out_trade_no: outTradeNo = '' } = wanted;
  const payment = tradeNo ? paidAs(platform, merchant, tradeNo) : ownPayment(platform, merchant, outTradeNo);
  if (!payment) throw new Refusal(404, 'RESOURCE_NOT_EXISTS', '订单不存在');
  return payment;
}

function sameRefund(earlier: Refund, payment: Payment, { amount }: RefundFields): Refund {
  const isSame =
    earlier.payment === payment.id && earlier.amount === amount.refund && refundDetails(earlier).total === amount.total;
  if (!isSame) throw invalid('订单金额或退款金额与之前请求不一致，请核实后再试');
  return earlier;
}

function requireRefundable({ desk }: Platform, payment: Payment, { amount }: RefundFields): void {
  const { paidAmount, paidAt } = payment;
  if (paidAmount === null || paidAt === null) throw invalid('订单未支付');
  if (amount.total !== paidAmount) throw invalid('订单金额与原订单支付金额不一致');
  if (desk.now() - paidAt > REFUND_WINDOW_MS) throw new Refusal(403, 'RULE_LIMIT', '订单已超过可退款的最大期限');
  const counted = desk.books.refundsOf(payment).filter((refund) => refund.status !== 'failed');
  if (counted.length >= MOST_REFUNDS) throw new Refusal(403, 'RULE_LIMIT', `一笔订单最多退款${MOST_REFUNDS}次`);
  const left = counted.reduce((sum, refund) => sum - refund.amount, paidAmount);
  if (amount.refund > left) throw invalid('退款金额大于可退金额');
  requireGap(desk.faults.of('wechatpay').refund_gap_ms ?? 0, desk.books.refundsOf(payment), desk.now());
}

/** Fault `refund_gap_ms`: the real platform wants a minute between two refunds of one payment. */
function requireGap(gapMs: number, refunds: readonly Refund[], now: number): void {
  const last = refunds.at(-1);
  if (last && now - last.createdAt < gapMs) throw new Refusal(429, 'FREQUENCY_LIMITED', '退款申请过于频繁，请稍后再试');
}

function newRefund({ desk }: Platform, { merchant, signer }: Call, payment: Payment, wanted: RefundFields): Refund {
  const now = desk.now();
  const { refund_fails: willFail = false, refund_delay_ms: delayMs = REFUND_DELAY_MS } = desk.faults.of('wechatpay');
  const { out_refund_no: outRefundNo, reason = null, notify_url: notifyUrl = null, amount } = wanted;
  const details: RefundDetails = { reason, notifyUrl, total: amount.total, signer: signer.serial };
  return {
    id: recordId('wechatpay', merchant.mchid, outRefundNo),
    provider: 'wechatpay',
    merchant: merchant.mchid,
    payment: payment.id,
    outRefundNo,
    tradeNo: `503${randomInt(1_000_000, 10_000_000)}${beijingDay(now)}${randomInt(10_000_000_000, 100_000_000_000)}`,
    amount: amount.refund,
    currency: amount.currency,
    status: 'processing',
    willFail,
    createdAt: now,
    settlesAt: now + delayMs,
    settledAt: null,
    details,
  };
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'INVALID_REQUEST', message);
}
