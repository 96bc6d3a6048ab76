import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import { statusAt } from '../records.ts';
import { paymentDetails, refundDetails } from './platform.ts';
import { beijingTime } from './time.ts';

const STATES = {
  SUCCESS: '支付成功',
  REFUND: '转入退款',
  NOTPAY: '订单未支付',
  CLOSED: '订单已关闭',
  USERPAYING: '用户支付中',
} as const;

const REFUND_STATES = { processing: 'PROCESSING', succeeded: 'SUCCESS', failed: 'CLOSED' } as const;
const RECEIVED_BY = '支付用户零钱';

/** A transaction as queries answer it and notices carry it (providers.md 2.7). */
export function transactionObject(desk: Desk, payment: Payment): object {
  const { appid, attach, openid, tradeType } = paymentDetails(payment);
  const state = tradeState(desk, payment);
  const { paidAmount, currency } = payment;
  const base = {
    appid,
    mchid: payment.merchant,
    out_trade_no: payment.outTradeNo,
    trade_state: state,
    trade_state_desc: STATES[state],
    promotion_detail: [],
    ...(attach === null ? {} : { attach }),
  };
  if (paidAmount === null) return { ...base, amount: { total: payment.amount, currency, payer_currency: currency } };
  return {
    ...base,
    transaction_id: payment.tradeNo,
    trade_type: tradeType,
    bank_type: 'OTHERS',
    success_time: beijingTime(payment.paidAt ?? 0),
    payer: { openid },
    amount: { total: paidAmount, payer_total: paidAmount, currency, payer_currency: currency },
  };
}

/** REFUND stands for any refund, partial ones too; one that failed doesn't count. */
function tradeState({ books, now }: Desk, payment: Payment): keyof typeof STATES {
  const status = statusAt(payment, now());
  switch (status) {
    case 'pending':
      return 'NOTPAY';
    case 'paying':
      return 'USERPAYING';
    case 'closed':
      return 'CLOSED';
    case 'paid':
      return books.refundsOf(payment).some((refund) => refund.status !== 'failed') ? 'REFUND' : 'SUCCESS';
  }
}

/** A refund as calls answer it (providers.md 2.8). */
export function refundObject(payment: Payment, refund: Refund): object {
  const { total } = refundDetails(refund);
  return {
    refund_id: refund.tradeNo,
    out_refund_no: refund.outRefundNo,
    transaction_id: payment.tradeNo,
    out_trade_no: payment.outTradeNo,
    channel: 'ORIGINAL',
    user_received_account: RECEIVED_BY,
    ...successTime(refund),
    create_time: beijingTime(refund.createdAt),
    status: REFUND_STATES[refund.status],
    funds_account: 'AVAILABLE',
    amount: {
      total,
      refund: refund.amount,
      from: [],
      payer_total: total,
      payer_refund: refund.amount,
      settlement_refund: refund.amount,
      settlement_total: total,
      discount_refund: 0,
      currency: refund.currency,
    },
    promotion_detail: [],
  };
}

/** A refund as its notice carries it: `refund_status`, no channel (providers.md 2.10). */
export function refundNoticeObject(payment: Payment, refund: Refund): object {
  const { total } = refundDetails(refund);
  return {
    mchid: refund.merchant,
    out_trade_no: payment.outTradeNo,
    transaction_id: payment.tradeNo,
    out_refund_no: refund.outRefundNo,
    refund_id: refund.tradeNo,
    refund_status: REFUND_STATES[refund.status],
    ...successTime(refund),
    user_received_account: RECEIVED_BY,
    amount: { total, refund: refund.amount, payer_total: total, payer_refund: refund.amount },
  };
}

function successTime({ status, settledAt }: Refund): { success_time?: string } {
  return status === 'succeeded' && settledAt !== null ? { success_time: beijingTime(settledAt) } : {};
}
