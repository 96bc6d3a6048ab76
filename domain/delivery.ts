import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { aboutTheItem, itemSent, showsSending } from './dispatch.ts';
import type { ItemChange, OrderEvent } from './events.ts';
import { changeTo, deliverable, dispatchIsHeld, hasFailed, isOnItsWay, itemsUpdated, moreMayArrive } from './item.ts';
import type { DeliveryStatus, Item, Order, Refund } from './order.ts';
import { itemOf } from './order.ts';
import { isOnItsWayBack, ownRefunds, paidAmount, sumOf } from './sums.ts';

type Report = CommandOf<'delivery_reported'>;

/** A report may come twice, late and in any order: one that would go back changes nothing. */
export function deliveryReported(order: Order, report: Report, at: number): Decision {
  const item = itemOf(order, report.item);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (order.paidAt === null) return refused('invalid_state', 'The order is not paid.');
  if (report.dispatch === null && report.quantity !== null && report.quantity > item.quantity)
    return refused('invalid_request', `At most ${item.quantity} can arrive.`, 'quantity');
  const sent = showsSending(item, report) ? [itemSent(item, at, report.by)] : [];
  const told = aboutTheItem(item, report);
  return done(...sent, ...(told ? taken(order, item, told, at) : []));
}

/** @param report about the item as a whole */
function taken(order: Order, item: Item, report: Report, at: number): OrderEvent[] {
  const change = moreMayArrive(item) ? changeBy(item, report) : null;
  const isNews = order.deliveredAfterRefund === null && tooManyArrived(item, report);
  return [
    ...(change ? [itemsUpdated([change], report.detail, at, report.by)] : []),
    ...(isNews ? [{ type: 'delivered_after_refund' as const, item: item.id, at, by: report.by }] : []),
  ];
}

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

/** Again: by its machine as a new dispatch, by its pick-up code, or as the merchant does it. */
export function redeliver(order: Order, { item: id, by }: CommandOf<'redeliver'>, at: number): Decision {
  const item = itemOf(order, id);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (item.status === 'delivering') return nothing;
  if (!hasFailed(item)) return refused('invalid_state', 'Only an item that failed or timed out is delivered again.');
  if (dispatchIsHeld(order)) return refused('invalid_state', 'The cancellation of the order is undecided.');
  if (isBeingRefunded(order, item)) return refused('invalid_state', 'The money of this item is on its way back.');
  const change = changeTo('delivering', item);
  return done(itemsUpdated([item.fulfilment === 'machine' ? { ...change, toDispatch: true } : change], null, at, by));
}

/** A decided refund of the item, or of all that was paid, is not yet done. */
function isBeingRefunded(order: Order, { id }: Item): boolean {
  const decided = ownRefunds(order).filter(isOnItsWayBack);
  const everything = paidAmount(order) > 0 && sumOf(decided) === paidAmount(order);
  const namesIt = ({ all, items }: Refund) => all || items?.some(({ item }) => item === id);
  return decided.some((refund) => refund.status !== 'succeeded' && (everything || namesIt(refund)));
}
