import type { ItemChange, OrderEvent } from './events.ts';
import type { Actor, DeliveryStatus, Item, Order } from './order.ts';

/** How one item stands, and what is told about it. */

/** How many units can have arrived in the end. */
export const deliverable = ({ quantity, withdrawn }: Item): number => quantity - withdrawn;
export const hasFailed = ({ status }: Item): boolean => status === 'failed' || status === 'timed_out';
export const isOnItsWay = ({ status }: Item): boolean => status === 'waiting' || status === 'delivering';
export const moreMayArrive = (item: Item): boolean => item.arrived < deliverable(item);

/** While a cancellation is undecided, nothing is dispatched or granted, and delivery timers stand still. */
export const dispatchIsHeld = (order: Order): boolean =>
  order.refunds.some(({ origin, status }) => origin === 'cancellation' && status === 'requested');

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

/** How an item stands once all that can has arrived. */
export const allArrived = (status: 'delivered' | 'picked_up', item: Item): ItemChange => ({
  ...changeTo(status, item),
  arrived: deliverable(item),
});
