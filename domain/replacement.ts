import { sum } from './money.ts';
import type { Order, Refund } from './order.ts';
import { holdsMoney, isOwnRefund, leftAmount, ownRefunds, paidAmount, sumOf } from './sums.ts';

/** Refunds that failed after a person's decision, and the new applications that take them over. Minor units. */

const hasFailedForGood = (refund: Refund): boolean =>
  isOwnRefund(refund) && refund.status === 'failed' && refund.retryAt === null;

/** How much of it no new application has taken over. */
export const unreplacedAmount = (refund: Refund): number =>
  hasFailedForGood(refund) ? refund.amount - refund.replacedAmount : 0;

/** It failed after a person's decision, and something of it can still be applied for. */
export const awaitsReplacement = (order: Order, refund: Refund): boolean =>
  unreplacedAmount(refund) > 0 && leftAmount(order) > 0;

/**
 * How much a new application takes over of each earlier refund, oldest first, up to its amount. One that names items
 * takes over what was meant for these or for none in particular; one that follows by itself from failed deliveries only
 * the former.
 */
export function takenOver(refunds: readonly Refund[], fresh: Refund): number[] {
  let left = isOwnRefund(fresh) ? fresh.amount : 0;
  const parts = fresh.items && new Map(fresh.items.map(({ item, amount }) => [item, amount]));
  return refunds.map((refund) => {
    const most = Math.min(left, unreplacedAmount(refund));
    let taken = 0;
    if (parts && refund.items)
      for (const { item, amount } of refund.items) {
        const part = Math.min(most - taken, amount, parts.get(item) ?? 0);
        parts.set(item, (parts.get(item) ?? 0) - part);
        taken += part;
      }
    else if (!parts || fresh.origin !== 'delivery_failure') taken = most;
    left -= taken;
    return taken;
  });
}

/**
 * Whether goods withdrawn for refunds that failed may be delivered after all: these are replaced, and it is decided that
 * their money does not go back by that. What is undecided may still give it back.
 */
export function mayBeDelivered(order: Order): boolean {
  const failed = order.refunds.filter(hasFailedForGood);
  const held = ownRefunds(order).filter(holdsMoney);
  const everything = sumOf(held) === paidAmount(order) || held.some(({ all }) => all);
  if (failed.length === 0 || everything) return false;
  return failed.every((refund) => unreplacedAmount(refund) === 0 && !goesBackByAmount(refund, held));
}

/** Applications for an amount, made since it failed, are as much. */
const goesBackByAmount = ({ amount, failedAt }: Refund, held: readonly Refund[]): boolean =>
  sum(held.map((one) => (one.items === null && one.createdAt >= (failedAt ?? 0) ? one.amount : 0))) >= amount;
