import type { OrderBody } from '../api/schemas.ts';

type Item = OrderBody['items'][number];
type Refund = OrderBody['refunds'][number];

/** Where an order may stay for ever: at its end, or at what a person has to do. Null: something is still to come by itself. */
export type Rest =
  'ended' | `waits for ${'a decision' | 'delivery' | 'a collection' | 'a receipt' | 'a new application'}`;

/** @param order as the API shows it */
export function restOf(order: OrderBody): Rest | null {
  const { status, refunds, payments, items, received_at: receivedAt } = order;
  if (refunds.some(isUnderWay) || payments.some(({ status: is }) => is === 'pending' || is === 'processing'))
    return null;
  if (refunds.some(({ status: is }) => is === 'requested')) return 'waits for a decision';
  if (status === 'cancelled' || status === 'completed')
    return order.attention.some(({ code }) => code === 'refund_failed') ? 'waits for a new application' : 'ended';
  if (status !== 'paid' && status !== 'processing') return null;
  if (order.attention.some(({ code }) => code === 'refund_failed')) return 'waits for a new application';
  if (order.attention.some(({ code }) => code === 'delivery_failed')) return 'waits for a decision';
  const waiting = items.filter(isAwaited);
  if (waiting.some((item) => hasTime(item, order))) return null;
  if (waiting.length > 0)
    return waiting.some(({ fulfilment }) => fulfilment === 'shipment')
      ? 'waits for delivery'
      : 'waits for a collection';
  const isToBeReceived = items.some(
    ({ fulfilment, delivery }) => fulfilment === 'shipment' && delivery.quantity_delivered > 0,
  );
  return isToBeReceived && receivedAt === null ? 'waits for a receipt' : null;
}

/** What goes back without a decision is tried again by itself. */
const WITHOUT_DECISION: readonly Refund['origin'][] = ['duplicate_payment', 'late_payment', 'disputed_payment'];
const isUnderWay = ({ status, origin }: Refund): boolean =>
  status === 'approved' || status === 'processing' || (status === 'failed' && WITHOUT_DECISION.includes(origin));

export const isAwaited = ({ delivery }: Item): boolean =>
  delivery.status === 'waiting' || delivery.status === 'delivering';

/** It times out, soon; the week that a pick-up has is for ever here. */
const hasTime = ({ fulfilment }: Item, { delivery_timeout: timeout }: OrderBody): boolean =>
  fulfilment === 'machine' || fulfilment === 'digital' || (timeout !== null && timeout < 3_600);
