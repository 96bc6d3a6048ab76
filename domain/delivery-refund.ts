import { deliverable, hasFailed } from './item.ts';
import type { OrderEvent } from './events.ts';
import { deliveryRefundId } from './ids.ts';
import { sum } from './money.ts';
import type { Item, Order, RefundedItem } from './order.ts';
import { isPaid, SYSTEM } from './order.ts';
import { approvedByItself, newRefund } from './refund.ts';
import { withdrawnBy } from './review.ts';
import { heldParts, isOnItsWayBack, itemShares, leftAmount, NO_PART, unitsWorth } from './sums.ts';

/** Failed items whose money goes back by the merchant's setting: one refund at a time takes all that failed so far. */
export function afterFailure(order: Order, at: number): OrderEvent[] {
  if (!isPaid(order)) return [];
  const earlier = order.refunds.filter(({ origin }) => origin === 'delivery_failure');
  if (earlier.some((refund) => refund.status !== 'succeeded' && isOnItsWayBack(refund))) return [];
  const items = failedParts(order);
  if (items.length === 0) return [];
  const application = {
    id: deliveryRefundId(order.id, earlier.length),
    amount: sum(items.map(({ amount }) => amount)),
    items,
    origin: 'delivery_failure',
    applicant: 'system',
    reason: null,
  } as const;
  const refund = approvedByItself(newRefund(order, application, at), at);
  return [{ type: 'refund.requested', refund, withdrawn: withdrawnBy(order, refund), at, by: SYSTEM }];
}

const goesBackByItself = (item: Item): boolean =>
  item.onFailure === 'refund' && hasFailed(item) && !item.failureDecided;

/**
 * What is left of the failed items' shares, and of what was paid. Where an undecided application names the item, or
 * asks for all, or holds the money that is needed, it is decided first; where all is on its way back, that comes first.
 */
function failedParts(order: Order): RefundedItem[] {
  if (!order.items.some(goesBackByItself)) return [];
  const undecided = order.refunds.filter(({ status }) => status === 'requested');
  if (undecided.some(({ all }) => all)) return [];
  const named = new Set(undecided.flatMap(({ items }) => items?.map(({ item }) => item) ?? []));
  const moneyIsAsked = undecided.some(({ amount }) => amount > 0);
  const shares = itemShares(order);
  const held = heldParts(order);
  let left = leftAmount(order);
  const parts: RefundedItem[] = [];
  for (const [index, item] of order.items.entries()) {
    if (!goesBackByItself(item) || named.has(item.id)) continue;
    const part = held.get(item.id) ?? NO_PART;
    const quantity = missingUnits(item, part.quantity);
    const worth = quantity > 0 ? unitsWorth(item, shares[index]!, part, quantity) : 0;
    const mustWait = worth > left && (moneyIsAsked || left === 0);
    if (quantity <= 0 || mustWait) continue;
    const amount = Math.min(worth, left);
    left -= amount;
    parts.push({ item: item.id, quantity, amount });
  }
  return parts;
}

/** Units that neither arrived nor are withdrawn or refunded otherwise. */
const missingUnits = (item: Item, held: number): number =>
  Math.min(deliverable(item), item.quantity - held) - item.arrived;
