import type { CommandOf, Refusal } from './commands.ts';
import type { OrderEvent } from './events.ts';
import type { PaymentId } from './ids.ts';
import { paymentId } from './ids.ts';
import { LIMITS, PAUSES } from './limits.ts';
import { methodTerms, providerOf } from './method.ts';
import type { Actor, Capture, Order, Payment } from './order.ts';
import { isOpen, isPaid, isUnpaid, needsClosing, paymentOf, SYSTEM } from './order.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import { isGoingBack, moneyReturns } from './returns.ts';
import { isPayableFromStart, isWaiting } from './waiting-attempts.ts';

/** Why an order takes no wish of its unpaid time any more, if so (rule 8). */
export function refusalWhenUnpaidIsOver(order: Order, at: number): Refusal | null {
  if (order.cancelReason === 'expired') return { code: 'order_expired', detail: 'The order has expired.' };
  if (order.status === 'cancelled') return { code: 'invalid_state', detail: 'The order is cancelled.' };
  if (isPaid(order)) return { code: 'already_paid', detail: 'The order is already paid.' };
  if (at >= order.expiresAt || order.ending?.because === 'expired')
    return { code: 'order_expired', detail: 'The order has expired.' };
  if (order.ending) return { code: 'invalid_state', detail: 'The order is being cancelled.' };
  return null;
}

/**
 * A further attempt closes the earlier ones first; the same method while one is open is that one (rule 1). One that waits
 * at the method's provider is the attempt, beside those that wait or are open under the same number.
 */
export function openPayment(order: Order, wish: CommandOf<'open_payment'>, at: number): Decision {
  const { method, buyer, by } = wish;
  const over = refusalWhenUnpaidIsOver(order, at);
  if (over) return { refused: over };
  if (order.status === 'awaiting_confirmation')
    return refused('invalid_state', 'The order has to be confirmed before it is paid.');
  const earlier = order.payments.filter((p) => needsClosing(p) && !isWaiting(p));
  const same = earlier.find((p) => isOpen(p) && p.method === method && at < p.expiresAt);
  if (same) return nothing;
  const startedAt = startOf(wish, at);
  const expiresAt = Math.min(order.expiresAt, startedAt + methodTerms(method).lastsMinutes * 60_000);
  const terms = { method, expiresAt, ...(buyer !== undefined && { buyer }), at, by };
  const waiting = order.payments.find((p) => isWaiting(p) && providerOf(p.method) === providerOf(method));
  if (waiting)
    return done(...earlier.filter((p) => !isPayableFromStart(order, p)).map((p) => attemptCloses(p.id, at, by)), {
      type: 'attempt_taken',
      payment: waiting.id,
      ...terms,
    });
  if (order.payments.length >= LIMITS.attempts)
    return refused('limit_reached', `An order takes at most ${LIMITS.attempts} payment attempts.`);
  const payment = paymentId(order.id, order.payments.length);
  return done(...earlier.map((p) => attemptCloses(p.id, at, by)), {
    type: 'attempt_started',
    payment,
    ...(startedAt !== at && { startedAt }),
    ...terms,
  });
}

/** Providers know an attempt by its times too: so they come from the wish, which is the same whenever it is heard. */
const startOf = ({ askedAt = Infinity }: CommandOf<'open_payment'>, at: number): number =>
  Math.min(at, Math.max(askedAt, at - PAUSES.askingToPay));

/** Its provider is to be asked to take no money for it any more. */
export const attemptCloses = (payment: PaymentId, at: number, by: Actor = SYSTEM): OrderEvent => ({
  type: 'attempt_closing',
  payment,
  at,
  by,
});

/** A person decides about money of a wrong amount: it goes back, or pays after all (what is over goes back). */
export function resolveDispute(order: Order, wish: CommandOf<'resolve_dispute'>, at: number): Decision {
  const attempt = paymentOf(order, wish.payment);
  if (!attempt) return refused('not_found', 'There is no such payment.');
  const disputed = attempt.captures.find(({ use }) => use === 'disputed');
  if (isUnpaid(order) && disputed)
    return wish.decision === 'return'
      ? returned(order, attempt, disputed, wish, at)
      : accepted(order, attempt, disputed, wish, at);
  const isReturned = isUnpaid(order) && attempt.captures.some(({ tradeNo }) => isGoingBack(order, attempt, tradeNo));
  return isReturned && wish.decision === 'return'
    ? nothing
    : refused('invalid_state', 'Only a disputed payment of an unpaid order can be resolved.');
}

function returned(
  order: Order,
  attempt: Payment,
  disputed: Capture,
  { applicant, note, by }: CommandOf<'resolve_dispute'>,
  at: number,
): Decision {
  const capture = { ...disputed, use: 'excess' } as const;
  return done(
    { type: 'money_captured', payment: attempt.id, capture, at, by },
    moneyReturns(order, attempt, capture, at, { by, applicant, note }),
  );
}

function accepted(
  order: Order,
  attempt: Payment,
  disputed: Capture,
  { note, by }: CommandOf<'resolve_dispute'>,
  at: number,
): Decision {
  if (disputed.currency !== order.currency || disputed.amount < order.total)
    return refused('invalid_state', 'Only money that covers the total, in the currency of the order, can be accepted.');
  return done(
    { type: 'money_captured', payment: attempt.id, capture: { ...disputed, use: 'order' }, at, by },
    { type: 'order.paid', payment: attempt.id, paidAt: disputed.at, note, at, by },
  );
}
