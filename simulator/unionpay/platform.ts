import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import { recordId } from '../records.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Message, Signer } from './message.ts';

/** What UnionPay's side works with. */
export type Platform = {
  desk: Desk;
  signer: Signer;
  merchants: ReadonlyMap<string, KnownMerchant>;
  /** Whether notices may go to http on this machine. */
  mayNotifyLocalHttp: boolean;
};

/** A message whose signature holds. */
export type Call = { merchant: KnownMerchant; message: Message };

/** What only UnionPay remembers of a payment. */
export type PaymentDetails = {
  txnTime: string;
  /** 01: in the browser; 07: by a code that the buyer scans. */
  txnSubType: '01' | '07';
  bizType: string;
  backUrl: string;
  frontUrl: string | null;
  reqReserved: string | null;
  /** The fields of the request, as text. */
  request: string;
  /** How the last try ended; another card may still pay. */
  failure: { code: string; message: string } | null;
};

/** What only UnionPay remembers of a refund. */
export type RefundDetails = { txnTime: string; bizType: string; backUrl: string; reqReserved: string | null };

export const paymentDetails = ({ details }: Payment): PaymentDetails => details as PaymentDetails;
export const refundDetails = ({ details }: Refund): RefundDetails => details as RefundDetails;

/** A number with another time is another transaction (providers.md 3.8). */
export const transactionId = (merId: string, { orderId, txnTime }: { orderId: string; txnTime: string }): string =>
  recordId('unionpay', merId, `${orderId}/${txnTime}`);

/** Payments and refunds share their numbers. */
export function isTaken({ desk }: Platform, id: string): boolean {
  return desk.books.payment(id) !== undefined || desk.books.refund(id) !== undefined;
}
