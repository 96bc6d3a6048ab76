import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import type { ItemChange, OrderEvent } from './events.ts';
import type { Actor, DeliveryStatus, Item, Order, Refund } from './order.ts';
import { itemOf } from './order.ts';
import { isOnItsWayBack, ownRefunds, paidAmount, sumOf } from './sums.ts';

type Report = CommandOf<'delivery_reported'>;

/** How many units can have arrived in the end. */
export const deliverable = ({ quantity, withdrawn }: Item): number => quantity - withdrawn;
export const hasFailed = ({ status }: Item): boolean => status === 'failed' || status === 'timed_out';
export const isOnItsWay = ({ status }: Item): boolean => status === 'waiting' || status === 'delivering';
export const moreMayArrive = (item: Item): boolean => item.arrived < deliverable(item);

/** While a cancellation is undecided, nothing is dispatched or granted, and delivery timers stand still. */
export const dispatchIsHeld = (order: Order): boolean =>
  order.refunds.some(({ origin, status }) => origin === 'cancellation' && status === 'requested');

/** A report may come twice, late and in any order: one that would go back changes nothing. */
export function deliveryReported(order: Order, report: Report, at: number): Decision {
  const item = itemOf(order, report.item);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (order.paidAt === null) return refused('invalid_state', 'The order is not paid.');
  if (report.quantity !== null && report.quantity > item.quantity)
    return refused('invalid_request', `At most ${item.quantity} can arrive.`, 'quantity');
  const change = moreMayArrive(item) ? changeBy(item, report) : null;
  const isNews = order.deliveredAfterRefund === null && tooManyArrived(item, report);
  return done(
    ...(change ? [itemsUpdated([change], report.detail, at, report.by)] : []),
    ...(isNews ? [{ type: 'delivered_after_refund' as const, item: item.id, at, by: report.by }] : []),
  );
}

export const itemsUpdated = (
  items: readonly ItemChange[],
  detail: string | null,
  at: number,
  by: Actor,
): OrderEvent => ({ type: 'item.delivery_updated', items, detail, at, by });

/** How an item stands if only its status changes. */
export const changeTo = (status: DeliveryStatus, { id, arrived, tracking }: Item): ItemChange => ({
  item: id,
  status,
  arrived,
  tracking,
});

const isArrival = ({ status }: Report): boolean => status === 'delivered' || status === 'picked_up';

/** Goods whose money went back, or which were withdrawn for that, arrived all the same. */
function tooManyArrived(item: Item, report: Report): boolean {
  const isWithdrawn = item.status === 'refunded' || deliverable(item) === 0;
  const told = report.quantity ?? (isArrival(report) && isWithdrawn ? item.quantity : 0);
  return told > (isWithdrawn ? item.arrived : deliverable(item));
}

function changeBy(item: Item, report: Report): ItemChange | null {
  const told = report.quantity ?? (isArrival(report) ? deliverable(item) : 0);
  const arrived = Math.max(item.arrived, Math.min(told, deliverable(item)));
  const status = statusBy(item, report.status, arrived);
  const changes =
    status !== item.status || arrived !== item.arrived || (isOnItsWay(item) && isNewTracking(item, report));
  return changes ? { item: item.id, status, arrived, tracking: report.tracking ?? item.tracking } : null;
}

/** An item of which more may arrive, after a report; delivered when arrived and refunded make up its quantity. */
function statusBy(item: Item, reported: Report['status'], arrived: number): DeliveryStatus {
  if (arrived === deliverable(item)) return reported === 'picked_up' ? 'picked_up' : 'delivered';
  switch (reported) {
    case 'delivering':
      return 'delivering';
    case 'failed':
      return isOnItsWay(item) ? 'failed' : item.status;
    case 'delivered':
    case 'picked_up':
      return arrived > item.arrived ? 'delivering' : item.status;
  }
}

const isNewTracking = (item: Item, { tracking }: Report): boolean =>
  tracking !== null && (tracking.carrier !== item.tracking?.carrier || tracking.number !== item.tracking.number);

export function redeliver(order: Order, { item: id, by }: CommandOf<'redeliver'>, at: number): Decision {
  const item = itemOf(order, id);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (item.status === 'delivering') return nothing;
  if (!hasFailed(item)) return refused('invalid_state', 'Only an item that failed or timed out is delivered again.');
  if (dispatchIsHeld(order)) return refused('invalid_state', 'The cancellation of the order is undecided.');
  if (isBeingRefunded(order, item)) return refused('invalid_state', 'The money of this item is on its way back.');
  return done(itemsUpdated([changeTo('delivering', item)], null, at, by));
}

/** A decided refund of the item, or of all that was paid, is not yet done. */
function isBeingRefunded(order: Order, { id }: Item): boolean {
  const decided = ownRefunds(order).filter(isOnItsWayBack);
  const everything = paidAmount(order) > 0 && sumOf(decided) === paidAmount(order);
  const namesIt = ({ all, items }: Refund) => all || items?.some(({ item }) => item === id);
  return decided.some((refund) => refund.status !== 'succeeded' && (everything || namesIt(refund)));
}

/** A delivery timer runs for it. */
export const isAwaited = (item: Item): boolean =>
  item.deliveryTimeoutSeconds !== null && isOnItsWay(item) && moreMayArrive(item);

/** When a delivery is late. Timers run from payment, and anew from each dispatch or sign of life. Epoch milliseconds. */
export function deliveryDeadline(order: Order, item: Item): number {
  const from = Math.max(order.paidAt ?? 0, item.status === 'delivering' ? (item.updatedAt ?? 0) : 0);
  return from + (item.deliveryTimeoutSeconds ?? 0) * 1000 + heldSince(order, from);
}

/** For how long dispatch was held after `from`, by cancellations that have been decided. Milliseconds. */
function heldSince(order: Order, from: number): number {
  return order.refunds
    .filter(({ origin }) => origin === 'cancellation')
    .map(({ createdAt, reviewedAt }) => Math.max(0, (reviewedAt ?? 0) - Math.max(createdAt, from)))
    .reduce((a, b) => a + b, 0);
}
