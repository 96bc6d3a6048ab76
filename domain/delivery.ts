import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { dispatchIsHeld } from './ending.ts';
import type { ItemChange, OrderEvent } from './events.ts';
import { deliveryRefundId } from './ids.ts';
import { sum } from './money.ts';
import type { Item, Order, RefundedItem } from './order.ts';
import { isPaid, itemOf, SYSTEM } from './order.ts';
import { approvedByItself, newRefund } from './refund.ts';
import { heldUnits, leftAmount, unitsWorth } from './sums.ts';

type Report = CommandOf<'delivery_reported'>;

/** How many units can still arrive, with those that have. */
const deliverable = (item: Item): number => item.quantity - item.withdrawn;
export const hasFailed = ({ status }: Item): boolean => status === 'failed' || status === 'timed_out';
const isOnItsWay = ({ status }: Item): boolean => status === 'waiting' || status === 'delivering';

/** A report may come twice, late and in any order: one that would go back changes nothing. */
export function deliveryReported(order: Order, report: Report, at: number): Decision {
  const item = itemOf(order, report.item);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (order.paidAt === null) return refused('invalid_state', 'The order is not paid.');
  if (report.quantity !== null && report.quantity > item.quantity)
    return refused('invalid_request', `At most ${item.quantity} can arrive.`, 'quantity');
  const change = changeBy(item, report);
  const late = tooManyArrived(item, report) && order.deliveredAfterRefund === null;
  return done(
    ...(change ? [updated([change], report.detail, at, report.by)] : []),
    ...(late ? [{ type: 'delivered_after_refund' as const, item: item.id, at, by: report.by }] : []),
  );
}

const updated = (items: ItemChange[], detail: string | null, at: number, by: Report['by']): OrderEvent => ({
  type: 'item.delivery_updated',
  items,
  detail,
  at,
  by,
});

/** Goods whose money went back arrived all the same. */
function tooManyArrived(item: Item, { status, quantity }: Report): boolean {
  if (status !== 'delivered' && status !== 'picked_up') return false;
  return item.status === 'refunded'
    ? item.arrived < (quantity ?? item.quantity)
    : quantity !== null && quantity > deliverable(item);
}

function changeBy(item: Item, report: Report): ItemChange | null {
  if (item.status === 'refunded') return null;
  const tracking = report.tracking ?? item.tracking;
  const to = (status: ItemChange['status'], arrived = item.arrived): ItemChange => ({
    item: item.id,
    status,
    arrived,
    tracking,
  });
  switch (report.status) {
    case 'delivering': {
      const moves = item.status === 'waiting' || hasFailed(item);
      const tracked = item.status === 'delivering' && isNewTracking(item, report);
      return (moves && deliverable(item) > item.arrived) || tracked ? to('delivering') : null;
    }
    case 'failed':
      return isOnItsWay(item) && deliverable(item) > item.arrived ? to('failed') : null;
    case 'delivered':
    case 'picked_up': {
      const arrived = Math.min(report.quantity ?? deliverable(item), deliverable(item));
      if (arrived > item.arrived) return to(arrived === deliverable(item) ? report.status : 'delivering', arrived);
      return isOnItsWay(item) && isNewTracking(item, report) ? to(item.status) : null;
    }
  }
}
const isNewTracking = (item: Item, { tracking }: Report): boolean =>
  tracking !== null && (tracking.carrier !== item.tracking?.carrier || tracking.number !== item.tracking.number);

export function redeliver(order: Order, { item: id, by }: CommandOf<'redeliver'>, at: number): Decision {
  const item = itemOf(order, id);
  if (!item) return refused('not_found', 'The order has no such item.');
  if (item.status === 'delivering') return nothing;
  if (!hasFailed(item)) return refused('invalid_state', 'Only an item that failed or timed out is delivered again.');
  if (isBeingRefunded(order, item)) return refused('invalid_state', 'The money of this item is on its way back.');
  return done(
    updated([{ item: id, status: 'delivering', arrived: item.arrived, tracking: item.tracking }], null, at, by),
  );
}

const isBeingRefunded = (order: Order, item: Item): boolean =>
  order.refunds.some(
    ({ status, all, items }) =>
      (status === 'approved' || status === 'processing') && (all || items?.some((named) => named.item === item.id)),
  );

/** An item that failed and of which nothing more is owed: the refund of it was rejected. */
const isDecided = (item: Item): boolean => hasFailed(item) && item.failureDecided;
const isAtItsEnd = (item: Item): boolean => !isOnItsWay(item) && (!hasFailed(item) || item.failureDecided);

export const allSettled = (order: Order): boolean => order.items.every(isAtItsEnd);
const arrivedShipments = (order: Order): Item[] =>
  order.items.filter(({ fulfilment, arrived }) => fulfilment === 'shipment' && arrived > 0);

/** All has come that will, and the customer has not said so yet. */
export const awaitsReceipt = (order: Order): boolean =>
  isPaid(order) && order.receivedAt === null && allSettled(order) && arrivedShipments(order).length > 0;

/** When the receipt is taken as given; null while it can't be. */
export function autoReceiptAt(order: Order): number | null {
  if (!awaitsReceipt(order)) return null;
  const last = Math.max(...order.items.map(({ updatedAt }) => updatedAt ?? 0));
  return last + order.autoReceiptAfterSeconds * 1000;
}

export function confirmReceipt(order: Order, { by }: CommandOf<'confirm_receipt'>, at: number): Decision {
  if (order.receivedAt !== null) return nothing;
  return awaitsReceipt(order)
    ? done({ type: 'order.received', at, by })
    : refused('invalid_state', 'There is nothing to receive: not everything has arrived.');
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

/** What follows once an order is paid: digital goods are granted, the first move is told, and it is completed. */
export function afterDelivery(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order) || order.status === 'completed') return [];
  const granted =
    dispatchIsHeld(order) || order.ending ? [] : order.items.filter((item) => isGrantedAtOnce(order, item));
  if (granted.length > 0)
    return [
      updated(
        granted.map((item) => ({
          item: item.id,
          status: 'delivered',
          arrived: deliverable(item),
          tracking: item.tracking,
        })),
        null,
        at,
        SYSTEM,
      ),
    ];
  if (order.status === 'paid' && order.items.some(({ status }) => status !== 'waiting'))
    return [{ type: 'order.processing', at, by: SYSTEM }];
  return isComplete(order) ? [{ type: 'order.completed', at, by: SYSTEM }] : [];
}

/** Digital goods, and all goods of a test order. */
const isGrantedAtOnce = (order: Order, item: Item): boolean =>
  item.status === 'waiting' && deliverable(item) > 0 && (item.fulfilment === 'digital' || order.test);

function isComplete(order: Order): boolean {
  if (!allSettled(order)) return false;
  const arrived = order.items.some((item) => item.arrived > 0);
  const received = order.receivedAt !== null || arrivedShipments(order).length === 0;
  return received && (arrived || order.items.some(isDecided));
}

/** Failed items whose money goes back by the merchant's setting: one refund at a time takes all that failed so far. */
export function afterFailure(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order)) return [];
  const own = order.refunds.filter(({ origin }) => origin === 'delivery_failure');
  if (own.some(({ status, retryAt }) => status === 'approved' || status === 'processing' || retryAt !== null))
    return [];
  const failed = order.items.filter(
    (item) => item.onFailure === 'refund' && hasFailed(item) && !item.failureDecided && !isBeingDecided(order, item),
  );
  const items = worthOf(order, failed);
  const amount = sum(items.map((i) => i.amount));
  if (items.length === 0) return [];
  const ask = { type: 'items', items } as const;
  const application = {
    id: deliveryRefundId(order.id, own.length),
    ask,
    amount,
    items,
    origin: 'delivery_failure',
    applicant: 'system',
    reason: null,
  } as const;
  return [
    { type: 'refund.requested', refund: approvedByItself(newRefund(order, application, at), at), at, by: SYSTEM },
  ];
}

/** What is left of the failed items' shares, and of what was paid. */
function worthOf(order: Order, failed: readonly Item[]): RefundedItem[] {
  let left = leftAmount(order);
  return failed.flatMap((item) => {
    const quantity = Math.min(deliverable(item) - item.arrived, item.quantity - heldUnits(order, item.id));
    if (quantity <= 0) return [];
    const amount = Math.min(unitsWorth(order, order.items.indexOf(item), quantity), left);
    left -= amount;
    return [{ item: item.id, quantity, amount }];
  });
}

/** An undecided application names the item or holds its amount: it is decided first. */
const isBeingDecided = (order: Order, item: Item): boolean =>
  order.refunds.some(
    ({ status, items }) => status === 'requested' && (items === null || items.some((named) => named.item === item.id)),
  );
