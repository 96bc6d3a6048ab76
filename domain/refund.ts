import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing } from './decision.ts';
import type { OrderEvent } from './events.ts';
import type { RefundId } from './ids.ts';
import { PAUSES } from './limits.ts';
import type { Actor, Order, Refund, RefundedItem, RefundOrigin } from './order.ts';
import { paymentOf, refundOf, SYSTEM } from './order.ts';
import { leftAmount } from './sums.ts';

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
export function refundFound(order: Order, found: CommandOf<'refund_found'>, at: number): Decision {
  const { refund: id, finding, by } = found;
  const refund = refundOf(order, id);
  if (!refund || refund.status === 'requested' || refund.status === 'rejected') return nothing;
  const tries = found.tries ?? refund.tries;
  if (finding.state === 'succeeded') return succeeds(order, refund, { tries, settledAt: finding.settledAt }, at, by);
  if (tries !== settlingTry(refund)) return nothing;
  if (finding.state === 'failed') return fails(refund, finding.reason, at, by);
  return refund.status === 'approved' ? done({ type: 'refund_processing', refund: id, at, by }) : nothing;
}

type Success = { tries: number; settledAt: number };

/** Money went out. What counts settles the refund; what came on top of that is never forgotten (rule 3). */
function succeeds(order: Order, refund: Refund, { tries, settledAt }: Success, at: number, by: Actor): Decision {
  const { id: about, status, astray = [] } = refund;
  if (astray.some((one) => one.tries === tries) || isToldBefore(refund, tries)) return nothing;
  const stamp = { refund: about, at, by };
  const isEarlier = tries !== refund.tries;
  const isStray = isEarlier ? status !== 'failed' || !fits(order, refund) : !maySucceed(order, refund);
  if (!isStray) return done({ type: 'refund.succeeded', settledAt, ...stamp, ...(isEarlier && { tries }) });
  const isOwed = status === 'approved';
  return done(
    { type: 'refund_astray', tries, settledAt, ...stamp },
    // Another try must not be made any more; whether it has been is asked.
    ...(isOwed ? [{ type: 'refund_processing', ...stamp } as const] : []),
  );
}

/** A success that is counted, or that was taken back: an earlier one told again is old news. */
const isToldBefore = (refund: Refund, tries: number): boolean =>
  (refund.status === 'succeeded' && tries === settlingTry(refund)) || (refund.reversedTries ?? []).includes(tries);

/** A success that is taken back is owed anew; but if another try went through as well, that is the one that counts. */
function fails(refund: Refund, failure: string, at: number, by: Actor): Decision {
  if (refund.status === 'failed') return nothing;
  const stamp = { refund: refund.id, at, by };
  const [other] = refund.astray ?? [];
  return done(
    { type: 'refund.failed', failure, retryAt: retryAt(refund, at), ...stamp },
    ...(other ? [{ type: 'refund.succeeded', tries: other.tries, settledAt: other.settledAt, ...stamp } as const] : []),
  );
}

/** The try by which it stands: the last one, unless an earlier one succeeded after all. */
export const settlingTry = ({ settledTry, tries }: Refund): number => settledTry ?? tries;

/**
 * A provider may correct itself after it told of a failure, as long as the freed amount was not given to another refund
 * (rule 3).
 */
const maySucceed = (order: Order, refund: Refund): boolean =>
  refund.status === 'failed' ? fits(order, refund) : refund.status !== 'succeeded';

const fits = (order: Order, refund: Refund): boolean => refund.retryAt !== null || refund.amount <= leftAmount(order);

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

/** Money that went out beside what counts, and that no person has seen to. */
export const strayRefunds = ({ astray = [] }: Refund) => astray.filter(({ isSeen }) => !isSeen);

/** Every time that money of this refund went out at its provider, also beside what counts. */
export const payoutsOf = (refund: Refund): Success[] => [
  ...(refund.status === 'succeeded'
    ? [{ tries: settlingTry(refund), settledAt: refund.settledAt ?? refund.createdAt }]
    : []),
  ...(refund.astray ?? []),
];
