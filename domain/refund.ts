import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing } from './decision.ts';
import type { OrderEvent } from './events.ts';
import type { RefundId } from './ids.ts';
import { PAUSES } from './limits.ts';
import type { Actor, Order, Refund, RefundedItem, RefundOrigin } from './order.ts';
import { paymentOf, refundOf, SYSTEM } from './order.ts';
import { isOwnRefund, leftAmount } from './sums.ts';

type Application = {
  id: RefundId;
  /** Minor units. */
  amount: number;
  items?: readonly RefundedItem[] | null;
  /** Asked for all that was left. */
  all?: boolean;
  origin: RefundOrigin;
  applicant: string;
  reason: string | null;
};

/** A refund out of the money that paid the order, not yet decided. */
export function newRefund(order: Order, application: Application, at: number): Refund {
  const { id, amount, items = null, all = false, origin, applicant, reason } = application;
  const payment = order.paidBy && paymentOf(order, order.paidBy);
  const capture = payment ? payment.captures.find(({ use }) => use === 'order') : undefined;
  return {
    id,
    amount,
    currency: order.currency,
    items,
    all,
    reason,
    origin,
    status: 'requested',
    applicant,
    source: payment && capture ? { payment: payment.id, tradeNo: capture.tradeNo } : null,
    reviewer: null,
    note: null,
    tries: 0,
    retryAt: null,
    overdue: false,
    replacedAmount: 0,
    failure: null,
    createdAt: at,
    reviewedAt: null,
    owedSince: null,
    processingSince: null,
    settledAt: null,
    failedAt: null,
    reversed: false,
  };
}

/** A refund that nobody decided about: approved from the start. */
export const approvedByItself = (refund: Refund, at: number): Refund => ({
  ...refund,
  status: 'approved',
  owedSince: at,
});

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
      return maySucceed(order, refund)
        ? done({ type: 'refund.succeeded', refund: id, settledAt: finding.settledAt, at, by })
        : nothing;
    case 'failed':
      if (refund.status === 'failed') return nothing;
      return done({ type: 'refund.failed', refund: id, failure: finding.reason, retryAt: retryAt(refund, at), at, by });
  }
}

/**
 * A provider may correct itself after it told of a failure, as long as the freed amount was not given to another refund
 * (rule 3). After a reversal an earlier success told again is old news.
 */
function maySucceed(order: Order, refund: Refund): boolean {
  if (refund.status !== 'failed') return refund.status !== 'succeeded';
  if (refund.reversed) return false;
  return refund.retryAt !== null || refund.amount <= leftAmount(order);
}

/** Without a person's decision it is tried again by itself, with growing pauses; otherwise a person applies anew. */
function retryAt(refund: Refund, at: number): number | null {
  const byItself = refund.reviewedAt === null;
  return byItself ? at + Math.min(PAUSES.returnRetry * 2 ** refund.tries, PAUSES.returnRetryMost) : null;
}

export const refundTriedAgain = ({ id }: Refund, at: number, by: Actor = SYSTEM): OrderEvent => ({
  type: 'refund_tried_again',
  refund: id,
  at,
  by,
});

/** Test orders, free orders and parts that are worth nothing need no provider: their refunds settle at once. */
export function settledWithoutProvider(order: Order, at: number): OrderEvent[] {
  return order.refunds
    .filter(({ status, source, amount }) => status === 'approved' && (source === null || amount === 0))
    .map(({ id }) => ({ type: 'refund.succeeded', refund: id, settledAt: at, at, by: SYSTEM }));
}

/** How much of a refund that failed after a person's decision no new application has taken over. Minor units. */
export const unreplacedAmount = (refund: Refund): number =>
  isOwnRefund(refund) && refund.status === 'failed' && refund.retryAt === null
    ? refund.amount - refund.replacedAmount
    : 0;

/** It failed after a person's decision, and something of it can still be applied for. */
export const awaitsReplacement = (order: Order, refund: Refund): boolean =>
  unreplacedAmount(refund) > 0 && leftAmount(order) > 0;
