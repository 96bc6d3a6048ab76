import type { CommandOf, RefundAsk } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import type { OrderEvent, Withdrawal } from './events.ts';
import type { RefundId } from './ids.ts';
import { LIMITS, PAUSES } from './limits.ts';
import { sum } from './money.ts';
import type { Order, Refund, RefundedItem, RefundOrigin } from './order.ts';
import { paymentOf, refundOf } from './order.ts';
import { heldUnits, isOwnRefund, leftAmount, paidAmount, unitsWorth } from './sums.ts';

type Application = {
  id: RefundId;
  ask: RefundAsk;
  amount: number;
  items?: readonly RefundedItem[] | null;
  origin: RefundOrigin;
  applicant: string;
  reason: string | null;
};

/** A refund out of the money that paid the order, not yet decided. */
export function newRefund(order: Order, application: Application, at: number): Refund {
  const payment = order.paidBy && paymentOf(order, order.paidBy);
  const capture = payment ? payment.captures.find(({ use }) => use === 'order') : undefined;
  return {
    id: application.id,
    amount: application.amount,
    currency: order.currency,
    items: application.items ?? null,
    all: application.ask.type === 'all',
    reason: application.reason,
    origin: application.origin,
    status: 'requested',
    applicant: application.applicant,
    source: payment && capture ? { payment: payment.id, tradeNo: capture.tradeNo } : null,
    reviewer: null,
    note: null,
    tries: 0,
    retryAt: null,
    overdue: false,
    replaced: false,
    failure: null,
    createdAt: at,
    reviewedAt: null,
    owedSince: null,
    processingSince: null,
    settledAt: null,
  };
}

/** An application stops nothing; it only holds its amount (rule 3). */
export function applyRefund(order: Order, wish: CommandOf<'apply_refund'>, at: number): Decision {
  if (refundOf(order, wish.refund)) return nothing;
  if (order.paidAt === null || order.status === 'cancelled')
    return refused('invalid_state', 'Only a paid order can be refunded.');
  const applications = order.refunds.filter(({ origin }) => origin === 'customer' || origin === 'merchant');
  if (applications.length >= LIMITS.refundApplications)
    return refused('limit_reached', `An order takes at most ${LIMITS.refundApplications} refund applications.`);
  const priced = price(order, wish.ask);
  if ('refused' in priced) return priced;
  if (isLate(order, priced.amount, at))
    return refused('refund_window_closed', 'The time for refunds of this order is over.');
  const { refund: id, ask, origin, applicant, reason } = wish;
  const refund = newRefund(
    order,
    { id, ask, amount: priced.amount, items: priced.items, origin, applicant, reason },
    at,
  );
  return done({ type: 'refund.requested', refund, at, by: wish.by });
}

type Priced =
  { amount: number; items: RefundedItem[] | null } | { refused: Extract<Decision, { refused: unknown }>['refused'] };

function price(order: Order, ask: RefundAsk): Priced {
  const left = leftAmount(order);
  const exceeds = (path?: string) =>
    refused('refund_exceeds_paid', 'This is more than is left of what was paid.', path) as Extract<
      Priced,
      { refused: unknown }
    >;
  switch (ask.type) {
    case 'all':
      return left > 0 || (paidAmount(order) === 0 && !allUnitsHeld(order)) ? { amount: left, items: null } : exceeds();
    case 'amount':
      return ask.amount <= left ? { amount: ask.amount, items: null } : exceeds('amount');
    case 'items': {
      const unknown = ask.items.findIndex(({ item }) => !order.items.some(({ id }) => id === item));
      if (unknown >= 0)
        return refused('invalid_request', 'The order has no such item.', `items.${unknown}.item_id`) as Extract<
          Priced,
          { refused: unknown }
        >;
      const over = ask.items.findIndex(({ item, quantity }) => quantity > unitsLeft(order, item));
      if (over >= 0) return exceeds(`items.${over}.quantity`);
      const items = ask.items.map(({ item, quantity }) => ({
        item,
        quantity,
        amount: unitsWorth(order, indexOf(order, item), quantity),
      }));
      const amount = sum(items.map((i) => i.amount));
      return amount <= left ? { amount, items } : exceeds();
    }
  }
}

const indexOf = (order: Order, id: string): number => order.items.findIndex((item) => item.id === id);

/** Units of an item that no refund holds; one that asks for all holds every unit. */
function unitsLeft(order: Order, id: Order['items'][number]['id']): number {
  return allUnitsHeld(order) ? 0 : order.items[indexOf(order, id)]!.quantity - heldUnits(order, id);
}
const allUnitsHeld = (order: Order): boolean =>
  order.refunds.some(
    ({ all, status, retryAt }) => all && status !== 'rejected' && !(status === 'failed' && retryAt === null),
  );

/** The window is over, and it is no replacement of a failed refund. */
function isLate(order: Order, amount: number, at: number): boolean {
  if (at < order.paidAt! + order.refundWindowSeconds * 1000) return false;
  const failed = order.refunds.filter(
    (r) => isOwnRefund(r) && r.status === 'failed' && r.retryAt === null && !r.replaced,
  );
  return amount > sum(failed.map((r) => r.amount));
}

/** The human decision. The same one again changes nothing; the other one is refused; four eyes see more than two. */
export function reviewRefund(order: Order, wish: CommandOf<'review_refund'>, at: number): Decision {
  const refund = refundOf(order, wish.refund);
  if (!refund) return refused('not_found', 'There is no such refund.');
  const { decision, note, by } = wish;
  if (refund.status !== 'requested') return decidedAlready(refund, decision);
  if (order.fourEyes && refund.applicant === wish.reviewer.key)
    return refused('forbidden', 'Whoever applied for a refund can not decide it (four eyes).');
  const withdrawn = decision === 'approve' ? withdrawnBy(order, refund) : [];
  return done({
    type: 'refund.reviewed',
    refund: refund.id,
    decision,
    reviewer: wish.reviewer.name,
    note,
    withdrawn,
    at,
    by,
  });
}

function decidedAlready(refund: Refund, decision: 'approve' | 'reject'): Decision {
  const was = refund.reviewedAt === null ? null : refund.status === 'rejected' ? 'reject' : 'approve';
  return was === decision ? nothing : refused('invalid_state', 'The refund is already decided.');
}

/** On approval, items still waiting are withdrawn: those named, or all where this brings the refunds to all that was paid. */
export function withdrawnBy(order: Order, refund: Refund): Withdrawal[] {
  const approved = order.refunds.filter(
    (r) => isOwnRefund(r) && ['approved', 'processing', 'succeeded'].includes(r.status),
  );
  const paid = paidAmount(order);
  const everything = paid > 0 ? sum(approved.map((r) => r.amount)) + refund.amount === paid : refund.all;
  return order.items
    .filter(({ status }) => status === 'waiting')
    .map((item) => {
      const open = item.quantity - item.arrived - item.withdrawn;
      const asked = everything ? open : (refund.items?.find((i) => i.item === item.id)?.quantity ?? 0);
      return { item: item.id, quantity: Math.min(open, asked) };
    })
    .filter(({ quantity }) => quantity > 0);
}

/** What the provider told about a refund: by a verified notice, or because it was asked. */
export function refundFound(
  order: Order,
  { refund: id, finding, by }: CommandOf<'refund_found'>,
  at: number,
): Decision {
  const refund = refundOf(order, id);
  if (!refund || refund.status === 'requested' || refund.status === 'rejected') return nothing;
  switch (finding.state) {
    case 'processing':
      return refund.status === 'approved' ? done({ type: 'refund_processing', refund: id, at, by }) : nothing;
    case 'succeeded':
      return refund.status === 'succeeded'
        ? nothing
        : done({ type: 'refund.succeeded', refund: id, settledAt: finding.settledAt, at, by });
    case 'failed':
      if (refund.status === 'failed') return nothing;
      return done({ type: 'refund.failed', refund: id, failure: finding.reason, retryAt: retryAt(refund, at), at, by });
  }
}

/** Without a person's decision it is tried again by itself, with growing pauses; otherwise a person applies anew. */
function retryAt(refund: Refund, at: number): number | null {
  const byItself = refund.reviewedAt === null;
  return byItself ? at + Math.min(PAUSES.returnRetry * 2 ** refund.tries, PAUSES.returnRetryMost) : null;
}

export function reviewIgnored(
  { refund, decision, reviewer, note, why, by }: CommandOf<'review_ignored'>,
  at: number,
): Decision {
  return done({ type: 'refund.reviewed', refund, decision, reviewer, note, ignored: why, at, by });
}

/** A refund that nobody decided about: approved from the start. */
export const approvedByItself = (refund: Refund, at: number): Refund => ({
  ...refund,
  status: 'approved',
  owedSince: at,
});

export const refundTriedAgain = (refund: Refund, at: number): OrderEvent => ({
  type: 'refund_tried_again',
  refund: refund.id,
  at,
  by: { type: 'system', name: null },
});
