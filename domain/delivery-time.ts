import { isOnItsWay, dispatchIsHeld, moreMayArrive } from './item.ts';
import type { Item, Order, Refund } from './order.ts';
import { ownRefunds } from './sums.ts';

/** When deliveries are late. Epoch milliseconds. */

/** A delivery timer is set for it. */
export const isAwaited = (item: Item): boolean =>
  item.deliveryTimeoutSeconds !== null && isOnItsWay(item) && moreMayArrive(item);

/** Somebody has to decide about a refund: no code is redeemed meanwhile. */
export const isUnderReview = (order: Order): boolean => ownRefunds(order).some(({ status }) => status === 'requested');

/** Its timer stands still: dispatch is held, or a refund is under review and it waits to be picked up. */
export const timerStands = (order: Order, { fulfilment }: Item): boolean =>
  fulfilment === 'pickup' ? isUnderReview(order) : dispatchIsHeld(order);

/**
 * When a delivery is late, as long as its timer runs. Timers run from dispatch (machine) or payment, and anew from each
 * delivery after a failure; those of machines and shipments also from each sign of life.
 */
export function deliveryDeadline(order: Order, item: Item): number {
  const from = Math.max(beginning(order, item), lastBeginning(item) ?? 0);
  return from + (item.deliveryTimeoutSeconds ?? 0) * 1000 + stoodFor(stops(order, item), from);
}

/** A machine is told once the order knows that it is paid, however long ago that was. */
const beginning = ({ paidAt, dispatchFrom }: Order, { fulfilment }: Item): number =>
  (fulfilment === 'machine' ? dispatchFrom : paidAt) ?? 0;

function lastBeginning({ fulfilment, status, restartedAt, updatedAt }: Item): number | null | undefined {
  if (fulfilment === 'pickup' || fulfilment === 'digital') return restartedAt;
  return status === 'delivering' ? updatedAt : null;
}

/** From when on a waiting item's machine may be told. */
export function dispatchableSince(order: Order): number {
  const decided = cancellations(order).map(({ reviewedAt }) => reviewedAt ?? 0);
  return Math.max(order.dispatchFrom ?? 0, ...decided);
}

const cancellations = (order: Order): Refund[] => order.refunds.filter(({ origin }) => origin === 'cancellation');

/** What has been decided and had stopped its timer meanwhile. */
const stops = (order: Order, { fulfilment }: Item): Refund[] =>
  (fulfilment === 'pickup' ? ownRefunds(order) : cancellations(order)).filter(({ reviewedAt }) => reviewedAt !== null);

/** For how long a timer stood still after `from`; what stood at the same time counts once. Milliseconds. */
function stoodFor(stops: readonly Refund[], from: number): number {
  let counted = from;
  let stood = 0;
  for (const { createdAt, reviewedAt } of stops.toSorted((a, b) => a.createdAt - b.createdAt)) {
    stood += Math.max(0, (reviewedAt ?? 0) - Math.max(createdAt, counted));
    counted = Math.max(counted, reviewedAt ?? 0);
  }
  return stood;
}
