import type { Brand } from './brand.ts';

export type OrderId = Brand<string, 'OrderId'>;
export type ItemId = Brand<string, 'ItemId'>;
export type PaymentId = Brand<string, 'PaymentId'>;
export type RefundId = Brand<string, 'RefundId'>;
export type MerchantId = Brand<string, 'MerchantId'>;

/** What follows the type prefix: twenty letters and digits in an order's id; its parts' ids begin with the same. */
const suffixOf = (id: string): string => id.slice(id.indexOf('_') + 1);

const numbered = (order: OrderId, index: number, digits: number): string =>
  suffixOf(order) + String(index + 1).padStart(digits, '0');

export const itemId = (order: OrderId, index: number) => `itm_${numbered(order, index, 4)}` as ItemId;
export const paymentId = (order: OrderId, index: number) => `pay_${numbered(order, index, 2)}` as PaymentId;
export const eventId = (order: OrderId, seq: number) => `evt_${numbered(order, seq - 1, 6)}`;

/** The id of money that goes back without anybody having asked for it. */
export const returnId = (payment: PaymentId, index: number) => `ref_${suffixOf(payment)}r${index + 1}` as RefundId;
/** The id of the refund that follows from failed deliveries; each next one takes what failed meanwhile. */
export const deliveryRefundId = (order: OrderId, index: number) => `ref_${suffixOf(order)}d${index + 1}` as RefundId;
/** The id of the refund that a cancellation applies for. */
export const cancellationId = (order: OrderId, index: number) => `ref_${suffixOf(order)}c${index + 1}` as RefundId;

/** Names one dispatch of an item to its machine: the same id is the same dispensing, however often it is told. */
export const dispatchId = (item: ItemId, dispatch: number): string => `dsp_${suffixOf(item)}x${dispatch}`;

/** @returns null for what is no id of a dispatch */
export function readDispatchId(id: string): { order: OrderId; item: ItemId; dispatch: number } | null {
  const [, order, position, dispatch] = /^dsp_([0-9a-z]{20})(\d{4})x([1-9]\d{0,5})$/.exec(id) ?? [];
  if (!order || !position || !dispatch) return null;
  return { order: `ord_${order}` as OrderId, item: `itm_${order}${position}` as ItemId, dispatch: Number(dispatch) };
}

/** Our number of an attempt at its provider: letters and digits only, which every provider takes. */
export const outTradeNoOf = (payment: PaymentId): string => suffixOf(payment);

/** The refunds that may go by a number at a provider: see `outRefundNoOf`. */
export const refundsNumbered = (outRefundNo: string): RefundId[] =>
  [outRefundNo, outRefundNo.replace(/t\d+$/, '')].map((suffix) => `ref_${suffix}` as RefundId);

/** Our number of a refund at its provider; a further try after a definite failure needs a new one. */
export const outRefundNoOf = (refund: RefundId, tries: number): string =>
  tries === 0 ? suffixOf(refund) : `${suffixOf(refund)}t${tries + 1}`;
