import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import { statusAt } from '../records.ts';
import { paymentDetails } from './platform.ts';
import { beijingTime } from './time.ts';

/** Fen as Alipay writes money: 8888 → 88.88. */
export function yuan(fen: number): string {
  const digits = String(fen).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export const BUYER_LOGON_ID = 'buy***@sandbox.com';

/** Trades that are wholly refunded are closed too (providers.md 1.7). */
export function tradeStatus({ books, now }: Desk, payment: Payment): string {
  const status = statusAt(payment, now());
  if (status === 'closed') return 'TRADE_CLOSED';
  if (status !== 'paid') return 'WAIT_BUYER_PAY';
  return refundedFen(books.refundsOf(payment)) >= (payment.paidAmount ?? 0) ? 'TRADE_CLOSED' : 'TRADE_SUCCESS';
}

/** All that went back, in fen: Alipay's `refund_fee` is cumulative. */
export function refundedFen(refunds: readonly Refund[]): number {
  return refunds.filter(({ status }) => status === 'succeeded').reduce((sum, { amount }) => sum + amount, 0);
}

/** A trade as queries answer it (providers.md 1.5). */
export function tradeNode(desk: Desk, payment: Payment): object {
  const { paidAmount, paidAt } = payment;
  const paid = yuan(paidAmount ?? 0);
  return {
    buyer_logon_id: BUYER_LOGON_ID,
    buyer_pay_amount: paid,
    buyer_user_id: paymentDetails(payment).buyerId,
    ...(paidAmount !== null && { fund_bill_list: [{ amount: paid, fund_channel: 'ALIPAYACCOUNT' }] }),
    invoice_amount: paid,
    out_trade_no: payment.outTradeNo,
    point_amount: '0.00',
    receipt_amount: paid,
    ...(paidAt !== null && { send_pay_date: beijingTime(paidAt) }),
    total_amount: yuan(paidAmount ?? payment.amount),
    trade_no: payment.tradeNo,
    trade_status: tradeStatus(desk, payment),
  };
}

/** What a bar code's payment answers with. */
export function payNode(payment: Payment): object {
  const { paidAmount, paidAt } = payment;
  const paid = yuan(paidAmount ?? 0);
  return {
    buyer_logon_id: BUYER_LOGON_ID,
    buyer_user_id: paymentDetails(payment).buyerId,
    ...(paidAt !== null && {
      buyer_pay_amount: paid,
      fund_bill_list: [{ amount: paid, fund_channel: 'ALIPAYACCOUNT' }],
      gmt_payment: beijingTime(paidAt),
      invoice_amount: paid,
      point_amount: '0.00',
      receipt_amount: paid,
    }),
    out_trade_no: payment.outTradeNo,
    total_amount: yuan(paidAmount ?? payment.amount),
    trade_no: payment.tradeNo,
  };
}
