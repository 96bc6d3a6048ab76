import type { CommandOf, Reviewer } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { deliverable } from './item.ts';
import type { Withdrawal } from './events.ts';
import type { Order, Refund } from './order.ts';
import { refundOf } from './order.ts';
import { isOnItsWayBack, NO_PART, ownRefunds, paidAmount, partsOf, sumOf } from './sums.ts';

/** The human decision. The same one again changes nothing; the other one is refused; four eyes see more than two. */
export function reviewRefund(order: Order, wish: CommandOf<'review_refund'>, at: number): Decision {
  const refund = refundOf(order, wish.refund);
  if (!refund) return refused('not_found', 'There is no such refund.');
  const { decision, note, by, reviewer } = wish;
  if (refund.status !== 'requested') return decidedAlready(refund, decision);
  if ((wish.fourEyes ?? order.fourEyes) && hasApplied(refund, reviewer))
    return refused('forbidden', 'Whoever applied for a refund can not decide it (four eyes).');
  const withdrawn = decision === 'approve' ? withdrawnBy(order, refund) : [];
  return done({
    type: 'refund.reviewed',
    refund: refund.id,
    decision,
    reviewer: reviewer.name,
    note,
    withdrawn,
    at,
    by,
  });
}

/** Names an operator of the order's merchant. */
export const personNamed = (name: string): string => `operator:${name}`;

/** Applications of earlier versions name the key. */
export const hasApplied = ({ applicant }: Refund, { key, person }: Reviewer): boolean =>
  applicant === key || applicant === person;

function decidedAlready(refund: Refund, decision: 'approve' | 'reject'): Decision {
  const was = refund.reviewedAt === null ? null : refund.status === 'rejected' ? 'reject' : 'approve';
  return was === decision ? nothing : refused('invalid_state', 'The refund is already decided.');
}

/** Someone decided who may not: it stands in the timeline and changes nothing. */
export function reviewIgnored(order: Order, fact: CommandOf<'review_ignored'>, at: number): Decision {
  const { refund, decision, reviewer, note, why, by } = fact;
  if (!refundOf(order, refund)) return nothing;
  return done({ type: 'refund.reviewed', refund, decision, reviewer, note, ignored: why, at, by });
}

/**
 * On approval, items still waiting are withdrawn: those named, or all where this brings the refunds to all that was
 * paid. A cancellation is meant for the whole order, whatever became of earlier refunds.
 */
export function withdrawnBy(order: Order, refund: Refund): Withdrawal[] {
  const others = ownRefunds(order).filter((other) => other.id !== refund.id && isOnItsWayBack(other));
  const everything = refund.origin === 'cancellation' || bringsToAll(order, refund, others);
  const named = partsOf([...others, refund]);
  return order.items
    .filter(({ status }) => status === 'waiting')
    .map((item) => {
      const open = deliverable(item) - item.arrived;
      // Units of a refund that failed are withdrawn already: its replacement does not withdraw others.
      const asked = (named.get(item.id) ?? NO_PART).quantity - item.withdrawn;
      return { item: item.id, quantity: everything ? open : Math.min(open, asked) };
    })
    .filter(({ quantity }) => quantity > 0);
}

const bringsToAll = (order: Order, refund: Refund, others: readonly Refund[]): boolean =>
  paidAmount(order) > 0 && sumOf(others) + refund.amount === paidAmount(order);
