import type { ItemId } from './ids.ts';
import { allocate, cumulativeShare, sum } from './money.ts';
import type { Item, Order, Payment, Refund } from './order.ts';

/** All amounts are integers in the minor unit of the order's currency. */

/** Money of the order's own payment; what rules 1 and 2 send back stands apart (rule 3). */
export const isOwnRefund = ({ origin }: Refund): boolean =>
  origin === 'customer' || origin === 'merchant' || origin === 'cancellation' || origin === 'delivery_failure';

/** Rejected and failed ones free their amount; a failed one that is tried again by itself still needs it (rule 3). */
export const holdsMoney = (refund: Refund): boolean =>
  refund.status !== 'rejected' && !(refund.status === 'failed' && refund.retryAt === null);

/** Nobody decides about it any more: its money goes back, or went. */
export const isOnItsWayBack = (refund: Refund): boolean => holdsMoney(refund) && refund.status !== 'requested';

export const ownRefunds = (order: Order): Refund[] => order.refunds.filter(isOwnRefund);
const refundedOnes = (order: Order): Refund[] => ownRefunds(order).filter(({ status }) => status === 'succeeded');
export const sumOf = (refunds: readonly Refund[]): number => sum(refunds.map(({ amount }) => amount));

/** What the order was paid: its total, or nothing. */
export const paidAmount = (order: Order): number => (order.paidAt === null ? 0 : order.total);
export const refundedAmount = (order: Order): number => sumOf(refundedOnes(order));
/** What refunds that are asked for, decided or done take of what was paid. */
export const heldAmount = (order: Order): number => sumOf(ownRefunds(order).filter(holdsMoney));
/** What may still be applied for (rule 3). */
export const leftAmount = (order: Order): number => paidAmount(order) - heldAmount(order);

export const fullyRefunded = (order: Order): boolean =>
  paidAmount(order) > 0 && refundedAmount(order) === paidAmount(order);

/**
 * Each item's part of the total, in the order of the items: its amount, less its share of the discount, and its share
 * of the delivery fee, both by its amount. The parts add up to the total exactly and none is below 0 (rule 3): a
 * discount that is more than the items lessens the delivery fee.
 */
export function itemShares({ deliveryFee, discount, items }: Order): number[] {
  const amounts = items.map(({ amount }) => amount);
  const offItems = Math.min(discount, sum(amounts));
  const discounts = allocate(offItems, amounts);
  const fees = allocate(deliveryFee - (discount - offItems), amounts);
  return amounts.map((amount, index) => amount - discounts[index]! + fees[index]!);
}

/** Units of an item and the money for them. */
export type Part = Readonly<{ quantity: number; amount: number }>;
export type Parts = ReadonlyMap<ItemId, Part>;
export const NO_PART: Part = { quantity: 0, amount: 0 };

/** What refunds that name items hold of each. */
export const heldParts = (order: Order): Parts => partsOf(ownRefunds(order).filter(holdsMoney));
/** What of each item has gone back by refunds that name it. */
export const refundedParts = (order: Order): Parts => partsOf(refundedOnes(order));

/** What refunds name of each item. */
export function partsOf(refunds: readonly Refund[]): Parts {
  const parts = new Map<ItemId, Part>();
  for (const { items } of refunds)
    for (const { item, quantity, amount } of items ?? []) {
      const before = parts.get(item) ?? NO_PART;
      parts.set(item, { quantity: before.quantity + quantity, amount: before.amount + amount });
    }
  return parts;
}

/**
 * What `quantity` further units of an item are worth, so that all its parts add up to its share exactly (rule 3).
 * @param share the item's part of the total
 * @param held what other refunds hold of it
 */
export function unitsWorth(item: Item, share: number, held: Part, quantity: number): number {
  return Math.max(0, cumulativeShare(share, held.quantity + quantity, item.quantity) - held.amount);
}

/** All that was captured by a payment has gone back. */
export function paymentIsReturned(order: Order, { id, captures }: Payment): boolean {
  const back = order.refunds.filter(({ source, status }) => source?.payment === id && status === 'succeeded');
  const captured = sum(captures.map(({ amount }) => amount));
  return captured > 0 && sumOf(back) === captured;
}
