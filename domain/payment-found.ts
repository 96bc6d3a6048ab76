import type { CommandOf, MoneyFound, PaymentFinding } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing } from './decision.ts';
import type { OrderEvent } from './events.ts';
import { PAUSES } from './limits.ts';
import { methodTerms } from './method.ts';
import type { Actor, Order, Payment } from './order.ts';
import { isLive, isOpened, isUnpaid, isWatched, needsClosing, paymentOf } from './order.ts';
import { isGoingBack, isRightMoney, moneyReturns } from './returns.ts';
import { confirmed, moneyTold } from './unconfirmed.ts';

/** What a provider tells about an attempt: by a verified notice, or because it was asked. Never an error. */

export function paymentOpened(
  order: Order,
  { payment, action, reference, finding, by }: CommandOf<'payment_opened'>,
  at: number,
): Decision {
  const attempt = paymentOf(order, payment);
  if (!attempt || !isLive(attempt) || isOpened(attempt)) return nothing;
  const named = reference === null || reference === undefined ? {} : { reference };
  const opened: OrderEvent = { type: 'payment.opened', payment, method: attempt.method, action, ...named, at, by };
  return done(
    opened,
    ...(finding ? foundOut(order, attempt, { type: 'payment_found', payment, finding, by }, at) : []),
  );
}

export function paymentFound(order: Order, fact: CommandOf<'payment_found'>, at: number): Decision {
  const attempt = paymentOf(order, fact.payment);
  return attempt ? done(...foundOut(order, attempt, fact, at)) : nothing;
}

function foundOut(order: Order, attempt: Payment, fact: CommandOf<'payment_found'>, at: number): OrderEvent[] {
  const { payment, finding, by, closing } = fact;
  const stamp = { payment, at, by };
  if (isBeingRevoked(attempt) && !closing) return [];
  switch (finding.state) {
    case 'paid':
      return finding.unconfirmed
        ? moneyTold(order, attempt, finding, at, by)
        : moneyCame(order, attempt, finding, at, by);
    case 'revoked':
      return moneyWentBack(order, attempt, finding, at, by);
    case 'processing':
      return attempt.approvedAt
        ? [{ type: 'attempt_approval_ended', isTaken: true, ...stamp }]
        : goesOn(attempt).map(() => ({ type: 'payment.processing', ...stamp }));
    case 'approved':
      return mayBeTaken(attempt)
        ? [
            ...goesOn(attempt).map((): OrderEvent => ({ type: 'payment.processing', ...stamp })),
            { type: 'attempt_approved', ...stamp },
          ]
        : [];
    case 'failed':
      return failed(attempt, finding, at, by);
    case 'closed':
      return closed(attempt, finding, at, by);
    case 'pending':
      return attempt.approvedAt ? [{ type: 'attempt_approval_ended', isTaken: false, ...stamp }] : [];
  }
}

/** Revoking may give back what a notice says was paid: until that is known, only its own answer counts. */
const isBeingRevoked = ({ method, closingSince }: Payment): boolean =>
  closingSince !== null && methodTerms(method).closing === 'revoke';

/** The attempt, if that the buyer is at it is news; also one that had failed (another card). */
const goesOn = (attempt: Payment): Payment[] =>
  attempt.status === 'pending' || (attempt.status === 'failed' && isWatched(attempt)) ? [attempt] : [];

/** Money that nobody needs any more is not taken: what is not wanted is being closed, or is closed. */
const mayBeTaken = (attempt: Payment): boolean => !attempt.approvedAt && needsClosing(attempt);

type Failure = Extract<PaymentFinding, { state: 'failed' }>;

function failed(attempt: Payment, { reason, mayYetBePaid }: Failure, at: number, by: Actor): OrderEvent[] {
  const stamp = { payment: attempt.id, at, by };
  if (isLive(attempt))
    return [
      { type: 'payment.failed', failure: reason, ...(mayYetBePaid && { watchedUntil: lastAsking(attempt) }), ...stamp },
    ];
  return isWatched(attempt) && !mayYetBePaid ? [{ type: 'attempt_asked', watchedUntil: null, ...stamp }] : [];
}

/** Closed for the order; where its provider could not promise it, it stays watched beyond its own expiry (rule 5). */
function closed(
  attempt: Payment,
  { mayYetBePaid }: Extract<PaymentFinding, { state: 'closed' }>,
  at: number,
  by: Actor,
): OrderEvent[] {
  const stamp = { payment: attempt.id, at, by };
  const until = mayYetBePaid && at < lastAsking(attempt) ? lastAsking(attempt) : null;
  if (isLive(attempt) || (attempt.status === 'failed' && isWatched(attempt)))
    return [{ type: 'payment.closed', ...(until !== null && { watchedUntil: until }), ...stamp }];
  const isNews = isWatched(attempt) && (until === null || attempt.closingSince !== null);
  return isNews ? [{ type: 'attempt_asked', watchedUntil: until, ...stamp }] : [];
}

const lastAsking = ({ expiresAt }: Payment): number => expiresAt + PAUSES.lastAsking;

/** Money that came is a fact: it pays the order, is disputed, or is owed back (rules 1, 2, 5). It is never refused. */
function moneyCame(order: Order, attempt: Payment, money: MoneyFound, at: number, by: Actor): OrderEvent[] {
  const { tradeNo, amount, currency, paidAt } = money;
  const confirming = confirmed(order, attempt, money, at, by);
  if (confirming) return [confirming];
  if (isToldBefore(order, attempt, money)) return [];
  const stamp = { payment: attempt.id, at, by };
  const capture = { tradeNo, amount, currency, at: paidAt };
  if (!isRightMoney(order, money))
    return [{ type: 'payment.disputed', capture: { ...capture, use: 'disputed' }, ...stamp }];
  if (!isUnpaid(order)) return [{ type: 'money_captured', capture: { ...capture, use: 'excess' }, ...stamp }];
  return [
    { type: 'money_captured', capture: { ...capture, use: 'order' }, ...stamp },
    { type: 'order.paid', paidAt, ...stamp },
  ];
}

/** Told twice is told once; but what was wrong under this number may be right now (rule 2), unless it is going back. */
function isToldBefore(order: Order, attempt: Payment, money: MoneyFound): boolean {
  const known = attempt.captures.find(({ tradeNo }) => tradeNo === money.tradeNo);
  if (!known) return false;
  return known.use !== 'disputed' || !isRightMoney(order, money) || isGoingBack(order, attempt, money.tradeNo);
}

/** Money that came and went back by one and the same call: booked as both (rule 5). */
function moneyWentBack(
  order: Order,
  attempt: Payment,
  { tradeNo, amount, currency, paidAt, settledAt }: Extract<PaymentFinding, { state: 'revoked' }>,
  at: number,
  by: Actor,
): OrderEvent[] {
  if (attempt.captures.some((known) => known.tradeNo === tradeNo)) return [];
  const capture = { tradeNo, amount, currency, at: paidAt, use: 'excess' } as const;
  const { refund, ...returned } = moneyReturns(order, attempt, capture, at);
  return [
    { type: 'money_captured', payment: attempt.id, capture, isRevoked: true, at, by },
    { refund, ...returned },
    { type: 'refund.succeeded', refund: refund.id, settledAt, at, by },
  ];
}

export function foreignNoticeFound(
  order: Order,
  { payment, by }: CommandOf<'foreign_notice_found'>,
  at: number,
): Decision {
  const attempt = paymentOf(order, payment);
  return attempt && attempt.foreignNoticeAt === null ? done({ type: 'foreign_notice', payment, at, by }) : nothing;
}
