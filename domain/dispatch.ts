import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing } from './decision.ts';
import type { OrderEvent } from './events.ts';
import { changeTo, deliverable, itemsUpdated, moreMayArrive } from './item.ts';
import type { Actor, Item, Order } from './order.ts';
import { itemOf } from './order.ts';

/**
 * How machine items are sent on. Dispatches of an item are numbered, and one number is one dispensing: it is told again
 * until the machine has taken it, and only then the next one has a new number.
 */

export const nextDispatch = ({ sends }: Item): number => sends + 1;

/** Its machine is to be told to dispense what is still to come; a report, or being late, ends that. */
export const awaitsDispatch = (item: Item): boolean => item.toDispatch && moreMayArrive(item);

/** How many a machine is to dispense. */
export const unitsToDispatch = (item: Item): number => deliverable(item) - item.arrived;

export const itemSent = ({ id: item }: Item, at: number, by: Actor): OrderEvent => ({
  type: 'item_sent',
  item,
  at,
  by,
});

/** What came of telling a machine; of a dispatch that is over it says nothing new. */
export function dispatchFound(order: Order, found: CommandOf<'dispatch_found'>, at: number): Decision {
  const { item: id, dispatch, finding, by } = found;
  const item = itemOf(order, id);
  if (!item || order.paidAt === null || dispatch !== nextDispatch(item)) return nothing;
  const waits = awaitsDispatch(item) && item.status === 'waiting';
  switch (finding.state) {
    case 'taken':
      return done(
        itemSent(item, at, by),
        ...(waits ? [itemsUpdated([changeTo('delivering', item)], null, at, by)] : []),
      );
    case 'uncertain':
      // Perhaps it is dispensing: no refund may withdraw it any more.
      return waits
        ? done(itemsUpdated([{ ...changeTo('delivering', item), toDispatch: true }], null, at, by))
        : nothing;
    case 'refused':
      if (!awaitsDispatch(item)) return nothing;
      return done(itemSent(item, at, by), itemsUpdated([changeTo('failed', item)], finding.reason, at, by));
  }
}

type Report = CommandOf<'delivery_reported'>;

/** A machine tells of a dispatch that it was not known to have taken. */
export const showsSending = (item: Item, { dispatch }: Report): boolean =>
  item.fulfilment === 'machine' && dispatch === nextDispatch(item);

/**
 * What a machine tells of one dispatch, as a report about the item as a whole. Null where that says nothing any more: of
 * an earlier dispatch only counts that all of it came out (with what was withdrawn since, if it says so), after a failure
 * none is under way, and none was never made.
 */
export function aboutTheItem(item: Item, report: Report): Report | null {
  const { dispatch, status, quantity } = report;
  if (dispatch === null) return report;
  const next = nextDispatch(item);
  if (item.fulfilment !== 'machine' || dispatch > next) return null;
  const isOver = dispatch < (item.toDispatch ? next : item.sends);
  const inAll = quantity === null ? null : Math.min(item.quantity, item.arrivedBefore + quantity);
  if (isOver && status !== 'delivered') return null;
  if (isOver) return { ...report, dispatch: null, quantity: inAll && Math.max(inAll, deliverable(item)) };
  if (status === 'delivering' && quantity === null && item.status === 'failed') return null;
  return { ...report, dispatch: null, quantity: inAll };
}
