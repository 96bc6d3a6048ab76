import type { OrderBody, Payment, Refund } from '../api.ts';

/** How an order stands for its customer: what the page says first. */
export type Outcome =
  | { type: 'to_confirm' | 'to_pay' | 'closing' }
  | { type: 'attempt'; payment: Payment }
  | { type: 'payment_failed'; payment: Payment }
  | { type: 'payment_wrong' }
  | { type: 'paid' | 'processing' | 'arrived' | 'completed' }
  | { type: 'expired' | 'cancelled' }
  | { type: 'refunded'; amount: number }
  | { type: 'refund_failed'; refund: Refund };

/** What to say, the more urgent first. Only of what the API answers; nothing in an address counts. */
export function outcomesOf(order: OrderBody, now: number): Outcome[] {
  const refund = refundOutcome(order);
  if (refund?.type === 'refunded') return [refund];
  return [...(refund ? [refund] : []), mainOutcome(order, now)];
}

function mainOutcome(order: OrderBody, now: number): Outcome {
  switch (order.status) {
    case 'awaiting_confirmation':
      return isPast(order.expires_at, now) ? { type: 'closing' } : { type: 'to_confirm' };
    case 'pending_payment':
    case 'paying':
      return unpaidOutcome(order, now);
    case 'paid':
      return { type: 'paid' };
    case 'processing':
      return { type: mayBeReceived(order) ? 'arrived' : 'processing' };
    case 'completed':
      return { type: 'completed' };
    case 'cancelled':
      return { type: order.cancel_reason === 'expired' ? 'expired' : 'cancelled' };
  }
}

function unpaidOutcome(order: OrderBody, now: number): Outcome {
  if (isPast(order.expires_at, now)) return { type: 'closing' };
  const open = openPayments(order).at(-1);
  if (open) return { type: 'attempt', payment: open };
  const last = order.payments.findLast((payment) => !isWaiting(order, payment));
  if (last?.status === 'disputed') return { type: 'payment_wrong' };
  if (last?.status === 'failed') return { type: 'payment_failed', payment: last };
  return { type: 'to_pay' };
}

const isPast = (instant: string, now: number): boolean => Date.parse(instant) <= now;

/** What the buyer can still go on with, oldest first; several where an order is payable at two providers at once. */
export const openPayments = (order: OrderBody): Payment[] =>
  order.payments.filter(
    (payment) => (payment.status === 'pending' || payment.status === 'processing') && !isWaiting(order, payment),
  );

/** It waits at its provider under the order's own number: nobody has chosen it here. */
const isWaiting = (order: OrderBody, { status, action, out_trade_no }: Payment): boolean =>
  status === 'pending' && action === null && out_trade_no === order.merchant_order_no;

const OWN_ORIGINS = new Set<Refund['origin']>(['customer', 'merchant', 'cancellation', 'delivery_failure']);
/** Of the order's own money; other refunds give back what never was the order's. */
export const isOwnRefund = ({ origin }: Pick<Refund, 'origin'>): boolean => OWN_ORIGINS.has(origin);

type OrderRefund = OrderBody['refunds'][number];

function refundOutcome(order: OrderBody): Extract<Outcome, { type: 'refunded' | 'refund_failed' }> | null {
  if (order.refund_status === 'full') return { type: 'refunded', amount: order.amounts.refunded };
  const decided = order.refunds.filter((r) => isOwnRefund(r) && r.status !== 'requested' && r.status !== 'rejected');
  const last = decided.at(-1);
  const failed = order.refund_status === 'pending' && last?.status === 'failed' ? last : null;
  return failed && { type: 'refund_failed', refund: { order_id: order.id, ...failed } };
}

/** Whether all that comes has come, and the customer may say so. */
export const mayBeReceived = ({ status, received_at, items }: OrderBody): boolean =>
  status === 'processing' &&
  received_at === null &&
  items.some((item) => item.fulfilment === 'shipment' && item.delivery.quantity_delivered > 0) &&
  items.every(({ delivery }) => delivery.status !== 'waiting' && delivery.status !== 'delivering');

/** Rejected and failed ones hold nothing any more. */
const holds = ({ status }: OrderRefund): boolean => status !== 'rejected' && status !== 'failed';

/** What may still be applied for; minor units. The API has the last word. */
export const refundable = ({ amounts, refunds }: OrderBody): number =>
  amounts.paid -
  refunds.filter((refund) => isOwnRefund(refund) && holds(refund)).reduce((sum, { amount }) => sum + amount, 0);

/** How many of an item no application names yet. */
export function refundableUnits({ items, refunds }: OrderBody, itemId: string): number {
  const named = refunds
    .filter((refund) => isOwnRefund(refund) && holds(refund))
    .flatMap((refund) => refund.items ?? [])
    .filter(({ item_id }) => item_id === itemId);
  const quantity = items.find(({ id }) => id === itemId)?.quantity ?? 0;
  return Math.max(0, quantity - named.reduce((sum, part) => sum + part.quantity, 0));
}

/** Whether an application would be heard now. */
export function mayApply(order: OrderBody, now: number): boolean {
  if (order.paid_at === null || refundable(order) <= 0) return false;
  const isOpen = Date.parse(order.paid_at) + order.refund_window * 1000 > now;
  return isOpen || refundOutcome(order)?.type === 'refund_failed';
}

/** Paid, nothing on its way, nothing applied for: all of it can be called off at once. */
export const mayCancelPaid = ({ status, items, refunds }: OrderBody): boolean =>
  status === 'paid' &&
  items.every(({ delivery }) => delivery.status === 'waiting') &&
  !refunds.some((refund) => isOwnRefund(refund) && holds(refund));

/** Unpaid, and it may still be called off. */
export const mayCancelUnpaid = ({ status, expires_at }: OrderBody, now: number): boolean =>
  ['awaiting_confirmation', 'pending_payment', 'paying'].includes(status) && !isPast(expires_at, now);
