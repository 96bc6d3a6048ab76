import { checked, QueryFields } from './fields.ts';
import type { Message } from './message.ts';
import { stateOf } from './payments.ts';
import type { Call, Platform } from './platform.ts';
import { transactionId } from './platform.ts';
import { notFound } from './refusal.ts';
import { refundState } from './refunds.ts';
import { paymentFields, refundFields } from './views.ts';

/** queryTrans.do 00/00: any transaction by its own number and time, refunds too (providers.md 3.4). */
export function query(platform: Platform, { merchant, message }: Call): Message {
  const wish = checked(QueryFields, message);
  const { books } = platform.desk;
  const id = transactionId(merchant.merId, wish);
  const payment = books.payment(id);
  if (payment) return told(paymentFields(payment), stateOf(platform, payment));
  const refund = books.refund(id);
  const refunded = refund && books.payment(refund.payment);
  if (!refund || !refunded) throw notFound();
  return told(refundFields(refunded, refund), refundState(refund));
}

const told = (fields: Message, { code, message }: { code: string; message: string }): Message => ({
  ...fields,
  origRespCode: code,
  origRespMsg: message,
});
