import type { CommandOf, PaymentFinding, Refusal } from './commands.ts';
import type { OrderEvent } from './events.ts';
import { paymentId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { Actor, Capture, Order, Payment } from './order.ts';
import { isLive, isOpen, isPaid, isUnpaid, paymentOf } from './order.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';

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

/** A further attempt closes the earlier ones first; the same method while one is open is that one (rule 1). */
export function openPayment(order: Order, { method, by }: CommandOf<'open_payment'>, at: number): Decision {
  const over = refusalWhenUnpaidIsOver(order, at);
  if (over) return { refused: over };
  if (order.status === 'awaiting_confirmation')
    return refused('invalid_state', 'The order has to be confirmed before it is paid.');
  const open = order.payments.filter(isOpen);
  const same = open.find((p) => p.method === method && at < p.expiresAt);
  if (same) return nothing;
  if (order.payments.length >= LIMITS.attempts)
    return refused('limit_reached', `An order takes at most ${LIMITS.attempts} payment attempts.`);
  const payment = paymentId(order.id, order.payments.length);
  return done(...open.map((p): OrderEvent => ({ type: 'attempt_closing', payment: p.id, at, by })), {
    type: 'attempt_started',
    payment,
    method,
    expiresAt: Math.min(order.expiresAt, at + longestAttempt),
    at,
    by,
  });
}
/** A code to scan is good for two hours (WeChat Pay, Alipay). */
const longestAttempt = 2 * 60 * 60 * 1000;

export function paymentOpened(
  order: Order,
  { payment, action, by }: CommandOf<'payment_opened'>,
  at: number,
): Decision {
  const attempt = paymentOf(order, payment);
  if (!attempt || !isLive(attempt) || attempt.action) return nothing;
  return done({ type: 'payment.opened', payment, method: attempt.method, action, at, by });
}

/** What a provider told about an attempt: by a verified notice, or because it was asked. */
export function paymentFound(order: Order, { payment, finding, by }: CommandOf<'payment_found'>, at: number): Decision {
  const attempt = paymentOf(order, payment);
  if (!attempt) return nothing;
  switch (finding.state) {
    case 'paid':
      return done(...moneyCame(order, attempt, finding, at, by));
    case 'processing':
      return attempt.status === 'pending' ? done({ type: 'payment.processing', payment, at, by }) : nothing;
    case 'failed':
      return isLive(attempt) ? done({ type: 'payment.failed', payment, failure: finding.reason, at, by }) : nothing;
    case 'closed':
      return isLive(attempt) ? done({ type: 'payment.closed', payment, at, by }) : nothing;
    case 'pending':
      return nothing;
  }
}

/** Money that came is a fact: it pays the order, is disputed, or is owed back (rules 1, 2, 5). It is never refused. */
function moneyCame(
  order: Order,
  attempt: Payment,
  money: Extract<PaymentFinding, { state: 'paid' }>,
  at: number,
  by: Actor,
): OrderEvent[] {
  const { tradeNo, amount, currency, paidAt } = money;
  const known = attempt.captures.find((c) => c.tradeNo === tradeNo);
  const right = amount === order.total && currency === order.currency;
  if (known && (known.use !== 'disputed' || !right)) return [];
  if (order.refunds.some(({ source }) => source?.payment === attempt.id && source.tradeNo === tradeNo)) return [];
  const capture = (use: Capture['use']): Capture => ({ tradeNo, amount, currency, at: paidAt, use });
  if (!right) return [{ type: 'payment.disputed', payment: attempt.id, capture: capture('disputed'), at, by }];
  const captured = (use: Capture['use']): OrderEvent => ({
    type: 'money_captured',
    payment: attempt.id,
    capture: capture(use),
    at,
    by,
  });
  if (!isUnpaid(order)) return [captured('excess')];
  return [captured('order'), { type: 'order.paid', payment: attempt.id, paidAt, at, by }];
}

export function foreignNoticeFound(
  order: Order,
  { payment, by }: CommandOf<'foreign_notice_found'>,
  at: number,
): Decision {
  const attempt = paymentOf(order, payment);
  return attempt && attempt.foreignNoticeAt === null ? done({ type: 'foreign_notice', payment, at, by }) : nothing;
}

/** A person decides about money of a wrong amount: it goes back, or pays after all (what is over goes back). */
export function resolveDispute(order: Order, wish: CommandOf<'resolve_dispute'>, at: number): Decision {
  const attempt = paymentOf(order, wish.payment);
  if (!attempt) return refused('not_found', 'There is no such payment.');
  const disputed = attempt.captures.find(({ use }) => use === 'disputed');
  if (!isUnpaid(order) || !disputed)
    return refused('invalid_state', 'Only a disputed payment of an unpaid order can be resolved.');
  const capture = (use: Capture['use']): Capture => ({ ...disputed, use });
  if (wish.decision === 'return')
    return done({ type: 'money_captured', payment: attempt.id, capture: capture('excess'), at, by: wish.by });
  if (disputed.currency !== order.currency || disputed.amount < order.total)
    return refused('invalid_state', 'Only money that covers the total, in the currency of the order, can be accepted.');
  return done(
    { type: 'money_captured', payment: attempt.id, capture: capture('order'), at, by: wish.by },
    { type: 'order.paid', payment: attempt.id, paidAt: disputed.at, at, by: wish.by },
  );
}
