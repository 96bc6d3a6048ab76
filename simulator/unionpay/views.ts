import type { Payment, Refund } from '../records.ts';
import type { Message } from './message.ts';
import { paymentDetails, refundDetails } from './platform.ts';
import { compactTime } from './time.ts';

const COMMON = { version: '5.1.0', encoding: 'UTF-8', signMethod: '01', accessType: '0', currencyCode: '156' } as const;

/** How a settled transaction is described, to queries and in notices (providers.md 3.5, 3.7). */
function settled(amount: number, at: number): Message {
  const time = compactTime(at).slice(4);
  return {
    settleAmt: String(amount),
    settleCurrencyCode: '156',
    settleDate: time.slice(0, 4),
    traceNo: time.slice(4),
    traceTime: time,
  };
}

export function paymentFields(payment: Payment): Message {
  const { txnTime, txnSubType, bizType, reqReserved } = paymentDetails(payment);
  const amount = payment.paidAmount ?? payment.amount;
  return {
    ...COMMON,
    txnType: '01',
    txnSubType,
    bizType,
    merId: payment.merchant,
    orderId: payment.outTradeNo,
    txnTime,
    txnAmt: String(amount),
    reqReserved: reqReserved ?? '',
    ...(payment.paidAt !== null && {
      ...settled(amount, payment.paidAt),
      queryId: payment.tradeNo ?? '',
      accNo: '6226********0048',
      payCardType: '01',
      issuerIdentifyMode: '0',
    }),
  };
}

export function refundFields(payment: Payment, refund: Refund): Message {
  const { txnTime, bizType, reqReserved } = refundDetails(refund);
  return {
    ...COMMON,
    txnType: '04',
    txnSubType: '00',
    bizType,
    merId: refund.merchant,
    orderId: refund.outRefundNo,
    txnTime,
    txnAmt: String(refund.amount),
    reqReserved: reqReserved ?? '',
    queryId: refund.tradeNo,
    origQryId: payment.tradeNo ?? '',
    ...(refund.settledAt !== null && settled(refund.amount, refund.settledAt)),
  };
}

/** A blank field is no field. */
export function withoutGaps(message: Message): Message {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ''));
}
