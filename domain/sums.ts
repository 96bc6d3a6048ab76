import type { ItemId } from './ids.ts';
import { allocate, cumulativeShare, sum } from './money.ts';
import type { Order, Payment, Refund } from './order.ts';

/** Money of the order's own payment; what rules 1 and 2 send back stands apart (rule 3). */
export const isOwnRefund = ({ origin }: Refund): boolean =>
  origin === 'customer' || origin === 'merchant' || origin === 'cancellation' || origin === 'delivery_failure';

/** Rejected and failed ones free their amount; a failed one that is tried again by itself still needs it. */
export const holdsMoney = (refund: Refund): boolean =>
  refund.status !== 'rejected' && !(refund.status === 'failed' && refund.retryAt === null);

const ownRefunds = (order: Order): Refund[] => order.refunds.filter(isOwnRefund);

/** What the order was paid: its total, or nothing. */
export const paidAmount = (order: Order): number => (order.paidAt === null ? 0 : order.total);
export const refundedAmount = (order: Order): number =>
  sum(
    ownRefunds(order)
      .filter(({ status }) => status === 'succeeded')
      .map(({ amount }) => amount),
  );
export const heldAmount = (order: Order): number =>
  sum(
    ownRefunds(order)
      .filter(holdsMoney)
      .map(({ amount }) => amount),
  );
/** What may still be applied for (rule 3). */
export const leftAmount = (order: Order): number => paidAmount(order) - heldAmount(order);

export const fullyRefunded = (order: Order): boolean =>
  paidAmount(order) > 0 && refundedAmount(order) === paidAmount(order);

/** Each item's part of the total: its amount, its share of the delivery fee, less its share of the discount. */
export function itemShares(order: Order): number[] {
  const fees = allocate(
    order.deliveryFee,
    order.items.map(({ amount }) => amount),
  );
  const gross = order.items.map(({ amount }, index) => amount + fees[index]!);
  const discounts = allocate(order.discount, gross);
  return gross.map((amount, index) => amount - discounts[index]!);
}

const named = (refunds: readonly Refund[], item: ItemId) =>
  refunds.flatMap(({ items }) => items?.filter((i) => i.item === item) ?? []);
const units = (refunds: readonly Refund[], item: ItemId): number =>
  sum(named(refunds, item).map(({ quantity }) => quantity));

/** Units whose refund by item has succeeded. */
export const refundedUnits = (order: Order, item: ItemId): number =>
  units(
    ownRefunds(order).filter(({ status }) => status === 'succeeded'),
    item,
  );
/** Units that some refund by item holds. */
export const heldUnits = (order: Order, item: ItemId): number => units(ownRefunds(order).filter(holdsMoney), item);
/** Money of an item that has gone back by item. */
export const refundedItemAmount = (order: Order, item: ItemId): number =>
  sum(
    named(
      ownRefunds(order).filter(({ status }) => status === 'succeeded'),
      item,
    ).map(({ amount }) => amount),
  );

/** What `quantity` further units of an item are worth, so that all parts of it add up to its share exactly. */
export function unitsWorth(order: Order, index: number, quantity: number): number {
  const item = order.items[index]!;
  const held = ownRefunds(order).filter(holdsMoney);
  const share = itemShares(order)[index]!;
  const upTo = cumulativeShare(share, units(held, item.id) + quantity, item.quantity);
  return Math.max(0, upTo - sum(named(held, item.id).map(({ amount }) => amount)));
}

/** All that was captured by a payment has gone back. */
export function paymentIsReturned(order: Order, payment: Payment): boolean {
  if (payment.captures.length === 0 || payment.status === 'refunded') return false;
  const back = order.refunds.filter(({ source, status }) => source?.payment === payment.id && status === 'succeeded');
  return sum(back.map(({ amount }) => amount)) === sum(payment.captures.map(({ amount }) => amount));
}
