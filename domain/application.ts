import type { CommandOf, Refusal } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { LIMITS } from './limits.ts';
import { sum } from './money.ts';
import type { Order, Refund, RefundedItem } from './order.ts';
import { isPaid, refundOf } from './order.ts';
import { newRefund } from './refund.ts';
import { takenOver } from './replacement.ts';
import { fullyRefunded, heldParts, itemShares, leftAmount, NO_PART, unitsWorth } from './sums.ts';

type Wish = CommandOf<'apply_refund'>;

/** An application stops nothing; it only holds its amount (rule 3). The same id again is the same application. */
export function applyRefund(order: Order, wish: Wish, at: number): Decision {
  if (refundOf(order, wish.refund)) return nothing;
  if (!isPaid(order) && order.cancelReason !== 'refunded')
    return refused('invalid_state', 'Only a paid order can be refunded.');
  if (hasEnoughApplications(order))
    return refused('limit_reached', `An order takes at most ${LIMITS.refundApplications} refund applications.`);
  if (namesTooMany(order, wish.ask))
    return refused(
      'limit_reached',
      `The refund applications of an order name at most ${LIMITS.namedItems} items together: apply for an amount, or all.`,
      'items',
    );
  const priced = price(order, wish.ask);
  if ('refused' in priced) return priced;
  const { refund: id, ask, origin, applicant, reason } = wish;
  const refund = newRefund(order, { id, ...priced, all: ask.type === 'all', origin, applicant, reason }, at);
  if (isTooLate(order, refund, at))
    return refused('refund_window_closed', 'The time for refunds of this order is over.');
  return done({ type: 'refund.requested', refund, at, by: wish.by });
}

/** Money that goes back by itself is never limited. */
export const hasEnoughApplications = (order: Order): boolean =>
  order.refunds.filter(({ origin }) => origin === 'customer' || origin === 'merchant' || origin === 'cancellation')
    .length >= LIMITS.refundApplications;

/** Each of a thousand items in each of fifty applications would be more than a workflow can load. */
function namesTooMany(order: Order, ask: Wish['ask']): boolean {
  if (ask.type !== 'items') return false;
  const applied = order.refunds.filter(({ origin }) => origin === 'customer' || origin === 'merchant');
  const named = sum(applied.map(({ items }) => items?.length ?? 0));
  return named + ask.items.length > LIMITS.namedItems;
}

type Priced = { amount: number; items: RefundedItem[] | null } | { refused: Refusal };
const no = (code: Refusal['code'], detail: string, path?: string): { refused: Refusal } => ({
  refused: { code, detail, ...(path !== undefined && { path }) },
});
const exceeds = (path?: string) => no('refund_exceeds_paid', 'This is more than is left of what was paid.', path);
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

/** What is asked for, in money; never more than is left (rule 3). */
function price(order: Order, ask: Wish['ask']): Priced {
  const left = leftAmount(order);
  switch (ask.type) {
    case 'all':
      return left > 0 ? { amount: left, items: null } : exceeds();
    case 'amount':
      if (!isCount(ask.amount)) return no('invalid_request', 'An amount is a whole number above 0.', 'amount');
      return ask.amount <= left ? { amount: ask.amount, items: null } : exceeds('amount');
    case 'items': {
      const flaw = flawIn(order, ask.items);
      if (flaw) return flaw;
      const items = pricedItems(order, ask.items);
      const amount = sum(items.map((item) => item.amount));
      return amount <= left ? { amount, items } : exceeds('items');
    }
  }
}

type Named = Extract<Wish['ask'], { type: 'items' }>['items'];

/** Each item of the order, once, and no more units of it than no other refund holds (rule 3). */
function flawIn(order: Order, named: Named): { refused: Refusal } | null {
  if (named.length === 0) return no('invalid_request', 'At least one item has to be named.', 'items');
  if (fullyRefunded(order)) return exceeds('items');
  const units = new Map(order.items.map(({ id, quantity }) => [id, quantity]));
  const held = heldParts(order);
  const seen = new Set<string>();
  for (const [index, { item, quantity }] of named.entries()) {
    const all = units.get(item);
    if (all === undefined) return no('invalid_request', 'The order has no such item.', `items.${index}.item_id`);
    if (seen.has(item)) return no('invalid_request', 'An item is named twice.', `items.${index}.item_id`);
    if (!isCount(quantity))
      return no('invalid_request', 'A quantity is a whole number above 0.', `items.${index}.quantity`);
    if (quantity > all - (held.get(item) ?? NO_PART).quantity) return exceeds(`items.${index}.quantity`);
    seen.add(item);
  }
  return null;
}

function pricedItems(order: Order, named: Named): RefundedItem[] {
  const shares = itemShares(order);
  const held = heldParts(order);
  const places = new Map(order.items.map(({ id }, index) => [id, index]));
  return named.map(({ item, quantity }) => {
    const index = places.get(item)!;
    const amount = unitsWorth(order.items[index]!, shares[index]!, held.get(item) ?? NO_PART, quantity);
    return { item, quantity, amount };
  });
}

/** The window is over, and it does not replace refunds that failed after a person's decision. */
function isTooLate(order: Order, refund: Refund, at: number): boolean {
  const isOver = at >= order.paidAt! + order.refundWindowSeconds * 1000;
  return isOver && sum(takenOver(order.refunds, refund)) < refund.amount;
}
