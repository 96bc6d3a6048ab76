import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { deliveryDeadline, isUnderReview } from './delivery-time.ts';
import { allArrived, deliverable, isOnItsWay, itemsUpdated, moreMayArrive } from './item.ts';
import type { Item, Order } from './order.ts';
import { isPaid } from './order.ts';

/** One code hands out all pick-up items of its order, once. What the code is, only the database knows. */

const isPickup = ({ fulfilment }: Item): boolean => fulfilment === 'pickup';

export const hasCode = (order: Order): boolean => order.items.some(isPickup);

/** It opens something, or may do so one day: no other order of the merchant may have the same code. */
export const codeIsLive = (order: Order): boolean =>
  order.status !== 'cancelled' &&
  order.items.some((item) => isPickup(item) && item.status !== 'refunded' && moreMayArrive(item));

/**
 * Refused alike, whatever the reason: unpaid, used, expired, or a refund is under review. The same redemption again is
 * granted again: its answer may have been lost.
 */
export function redeemCode(order: Order, { redemption: id, by }: CommandOf<'redeem_code'>, at: number): Decision {
  if (order.redemption?.id === id) return nothing;
  const items = isPaid(order) && !order.test && !isUnderReview(order) ? order.items.filter(isReleased(order, at)) : [];
  if (items.length === 0) return refused('pickup_code_invalid', 'The code opens nothing.');
  const released = items.map((item) => ({ item: item.id, quantity: deliverable(item) - item.arrived }));
  const arrivals = items.map((item) => allArrived('picked_up', item));
  return done(itemsUpdated(arrivals, null, at, by), {
    type: 'code_redeemed',
    redemption: { id, items: released },
    at,
    by,
  });
}

const isReleased =
  (order: Order, at: number) =>
  (item: Item): boolean =>
    isPickup(item) && isOnItsWay(item) && moreMayArrive(item) && !isLate(order, item, at);

const isLate = (order: Order, item: Item, at: number): boolean =>
  item.deliveryTimeoutSeconds !== null && deliveryDeadline(order, item) <= at;
