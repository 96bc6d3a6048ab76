import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { allArrived, dispatchIsHeld, hasFailed, isOnItsWay, itemsUpdated, moreMayArrive } from './item.ts';
import type { OrderEvent } from './events.ts';
import type { Item, Order } from './order.ts';
import { isPaid, SYSTEM } from './order.ts';
import { awaitsReplacement } from './replacement.ts';
import { fullyRefunded, holdsMoney, ownRefunds } from './sums.ts';

/** Digital goods, and all goods of a test order, arrive at once; but not while dispatch is held. */
export function grantedAtOnce(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order) || dispatchIsHeld(order)) return [];
  const granted = order.items.filter(
    (item) => (item.fulfilment === 'digital' || order.test) && isOnItsWay(item) && moreMayArrive(item),
  );
  if (granted.length === 0) return [];
  const changes = granted.map((item) => allArrived('delivered', item));
  return [itemsUpdated(changes, null, at, SYSTEM)];
}

/** From the first item that leaves `waiting`. */
export function processingBegins(order: Order, at: number): OrderEvent[] {
  const begins = order.status === 'paid' && order.items.some(({ status }) => status !== 'waiting');
  return begins ? [{ type: 'order.processing', at, by: SYSTEM }] : [];
}

/** Something of what was paid may still go back: it is asked for, under way, or failed and can be applied for again. */
const moneyIsOpen = (order: Order): boolean =>
  ownRefunds(order).some(
    (refund) => (holdsMoney(refund) && refund.status !== 'succeeded') || awaitsReplacement(order, refund),
  );

/** No item is on its way, and none that failed awaits a decision. */
function allSettled(order: Order): boolean {
  const isOpen = moneyIsOpen(order);
  return order.items.every((item) => {
    if (isOnItsWay(item)) return !moreMayArrive(item) && !isOpen;
    return !hasFailed(item) || item.failureDecided;
  });
}

const arrivedShipments = (order: Order): Item[] =>
  order.items.filter(({ fulfilment, arrived }) => fulfilment === 'shipment' && arrived > 0);

/** All has come that will, and the customer has not said so yet. */
const awaitsReceipt = (order: Order): boolean =>
  isPaid(order) && order.receivedAt === null && allSettled(order) && arrivedShipments(order).length > 0;

/** When the receipt is taken as given; null while it can't be. Epoch milliseconds. */
export function autoReceiptAt(order: Order): number | null {
  if (order.status === 'completed' || !awaitsReceipt(order)) return null;
  const last = Math.max(...arrivedShipments(order).map(({ arrivedAt, updatedAt }) => arrivedAt ?? updatedAt ?? 0));
  return last + order.autoReceiptAfterSeconds * 1000;
}

export function confirmReceipt(order: Order, { by }: CommandOf<'confirm_receipt'>, at: number): Decision {
  if (order.receivedAt !== null) return nothing;
  if (awaitsReceipt(order)) return done({ type: 'order.received', at, by });
  return order.status === 'completed'
    ? nothing // Everything was received by arriving.
    : refused('invalid_state', 'There is nothing to receive yet: not everything has arrived.');
}

export function review(order: Order, { rating, comment, by }: CommandOf<'review'>, at: number): Decision {
  if (order.review) {
    const same = order.review.rating === rating && order.review.comment === comment;
    return same ? nothing : refused('invalid_state', 'The order is already reviewed.');
  }
  return order.status === 'completed'
    ? done({ type: 'order.reviewed', rating, comment, at, by })
    : refused('invalid_state', 'Only a completed order is reviewed.');
}

/**
 * All that arrived is received, and every item has arrived, is refunded, or a person has decided about it. Where nothing
 * arrived it may still be refunded in full, and then it is cancelled.
 */
export function completes(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order) || order.status === 'completed' || !allSettled(order)) return [];
  const isReceived = order.receivedAt !== null || arrivedShipments(order).length === 0;
  const hasResult = order.items.some((item) => item.arrived > 0 || hasFailed(item)) || !moneyIsOpen(order);
  return isReceived && hasResult ? [{ type: 'order.completed', at, by: SYSTEM }] : [];
}

/** Refunded in full before anything arrived; of a free order, when every item is. */
export function endedByRefund(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order) || order.status === 'completed') return [];
  if (order.items.some(({ arrived }) => arrived > 0)) return [];
  const all = order.total === 0 ? order.items.every(({ status }) => status === 'refunded') : fullyRefunded(order);
  return all ? [{ type: 'order.cancelled', reason: 'refunded', detail: null, at, by: SYSTEM }] : [];
}
