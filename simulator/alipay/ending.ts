import type { Payment } from '../records.ts';
import { statusAt } from '../records.ts';
import { checked, NumberFields } from './fields.ts';
import type { Call, Platform } from './platform.ts';
import { refusedAs, tradeNotExist } from './refusal.ts';
import { refundWhole } from './refunds.ts';
import { ownPayment, ownTrade } from './trades.ts';
import { beijingDay } from './time.ts';
import { tradeNode } from './views.ts';

/** alipay.trade.query */
export function queryTrade(platform: Platform, { merchant, content }: Call): object {
  const numbers = checked(NumberFields, content);
  const payment = ownTrade(platform, merchant, numbers);
  if (!payment) throw tradeNotExist(numbers.out_trade_no);
  return { code: '10000', msg: 'Success', ...tradeNode(platform.desk, payment) };
}

/** alipay.trade.close: only what the buyer has come to, and not paid. */
export function closeTrade(platform: Platform, { merchant, content }: Call): object {
  const numbers = checked(NumberFields, content);
  const payment = ownTrade(platform, merchant, numbers);
  if (!payment) throw tradeNotExist(numbers.out_trade_no);
  if (payment.status === 'paid') throw refusedAs('TRADE_STATUS_ERROR', '交易状态不合法');
  close(platform, payment);
  return { code: '10000', msg: 'Success', out_trade_no: payment.outTradeNo, trade_no: payment.tradeNo };
}

/** alipay.trade.cancel: closes what is unpaid, gives back what was paid today; for bar codes whose outcome is unclear. */
export function cancelTrade(platform: Platform, { merchant, content }: Call): object {
  const { desk } = platform;
  const numbers = checked(NumberFields, content);
  const payment = ownTrade(platform, merchant, numbers) ?? ownPayment(platform, merchant, numbers.out_trade_no ?? '');
  const said = { code: '10000', msg: 'Success', out_trade_no: payment?.outTradeNo ?? numbers.out_trade_no };
  if (!payment) return { ...said, retry_flag: 'N' };
  const answer = { ...said, ...(payment.tradeNo !== null && { trade_no: payment.tradeNo }), retry_flag: 'N' };
  const { paidAt } = payment;
  if (paidAt === null) {
    const action = statusAt(payment, desk.now()) === 'closed' ? {} : { action: 'close' };
    close(platform, payment);
    return { ...answer, ...action };
  }
  if (beijingDay(paidAt) !== beijingDay(desk.now())) throw refusedAs('TRADE_CANCEL_TIME_OUT', '超过撤销时间范围');
  return { ...answer, ...(refundWhole(platform, payment) && { action: 'refund' }) };
}

function close({ desk }: Platform, payment: Payment): void {
  if (payment.status !== 'closed') desk.books.write({ payment: { ...payment, status: 'closed' } });
}
