import { hasEnoughApplications } from './application.ts';
import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import type { OrderEvent } from './events.ts';
import { cancellationId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { Actor, Ending, Order, Payment } from './order.ts';
import { isPaid, isUnpaid, isWatched, needsClosing, SYSTEM } from './order.ts';
import { attemptCloses, refusalWhenUnpaidIsOver } from './payment.ts';
import { newRefund } from './refund.ts';
import { leftAmount } from './sums.ts';

export function confirm(order: Order, { by }: CommandOf<'confirm'>, at: number): Decision {
  const over = isPaid(order) ? null : refusalWhenUnpaidIsOver(order, at);
  if (over) return { refused: over };
  if (order.confirmed) return nothing;
  return order.status === 'awaiting_confirmation'
    ? done({ type: 'order.confirmed', at, by })
    : refused('invalid_state', 'The order was not created to be confirmed.');
}

/** Unpaid: its attempts are closed first, then it ends. Paid: a full refund is applied for (contract, POST …/cancel). */
export function cancel(order: Order, wish: CommandOf<'cancel'>, at: number): Decision {
  if (isPaid(order)) return cancelPaid(order, wish, at);
  if (order.status === 'cancelled') return cancelAgain(order);
  if (order.ending && order.ending.because !== 'expired') return nothing;
  const over = refusalWhenUnpaidIsOver(order, at);
  if (over) return { refused: over };
  const { because, by, applicant, reason } = wish;
  return done({ type: 'closing_began', ending: { because, by, applicant, reason, since: at }, at, by });
}

function cancelAgain(order: Order): Decision {
  if (order.cancelReason === 'expired') return refused('order_expired', 'The order has expired.');
  const asked = order.cancelReason !== 'refunded' || order.refunds.some(({ origin }) => origin === 'cancellation');
  return asked ? nothing : refused('invalid_state', 'The order was cancelled by refunding it.');
}

function cancelPaid(order: Order, wish: CommandOf<'cancel'>, at: number): Decision {
  const { by, because, applicant, reason } = wish;
  if (isBeingCancelled(order)) return nothing;
  if (order.items.some(({ status }) => status !== 'waiting'))
    return refused('invalid_state', 'An item is already on its way.');
  if (order.refunds.some(({ status }) => status === 'requested'))
    return refused('invalid_state', 'A refund application is undecided.');
  if (order.total === 0) return done({ type: 'order.cancelled', reason: because, detail: reason, at, by });
  if (leftAmount(order) <= 0) return refused('invalid_state', 'All that was paid is on its way back already.');
  if (hasEnoughApplications(order))
    return refused('limit_reached', `An order takes at most ${LIMITS.refundApplications} refund applications.`);
  return done(cancellation(order, { by, applicant, reason }, at));
}

const isBeingCancelled = (order: Order): boolean =>
  order.refunds.some(
    ({ origin, status }) =>
      origin === 'cancellation' && (status === 'requested' || status === 'approved' || status === 'processing'),
  );

/** A cancellation of a paid order is an application for all that is left; meanwhile nothing is dispatched. */
function cancellation(
  order: Order,
  { by, applicant, reason }: { by: Actor; applicant: string; reason: string | null },
  at: number,
): OrderEvent {
  const id = cancellationId(order.id, order.refunds.filter(({ origin }) => origin === 'cancellation').length);
  const amount = leftAmount(order);
  const refund = newRefund(order, { id, amount, all: true, origin: 'cancellation', applicant, reason }, at);
  return { type: 'refund.requested', refund, at, by };
}

/** A cancellation that met a payment becomes an application for a refund, before anything is dispatched (rule 5). */
export function cancellationOfPaid(order: Order, at: number): OrderEvent[] {
  return isPaid(order) && order.ending ? [cancellation(order, order.ending, at)] : [];
}

/** An unpaid order that is about to end: what is open is closed first, then it ends (rule 5). */
export function endsUnpaid(order: Order, at: number): OrderEvent[] {
  const { ending } = order;
  if (!ending || !isUnpaid(order)) return [];
  const open = order.payments.filter((p) => needsClosing(p) || isToBeAskedBefore(ending, p));
  if (open.length > 0) return open.map(({ id }) => attemptCloses(id, at));
  if (order.payments.some(({ closingSince }) => closingSince !== null)) return [];
  if (order.payments.some(({ revokedAt = 0 }) => revokedAt >= ending.since))
    return [{ type: 'order.cancelled', reason: 'revoked', detail: ending.reason, at, by: ending.by }];
  if (ending.because === 'expired') return [{ type: 'order.expired', at, by: ending.by }];
  return [{ type: 'order.cancelled', reason: ending.because, detail: ending.reason, at, by: ending.by }];
}

/** Closed already, but its provider could not promise that nobody pays it. */
const isToBeAskedBefore = ({ since }: Ending, payment: Payment): boolean =>
  isWatched(payment) && payment.closingSince === null && payment.watched!.since < since;

/** Paid, or ended: what is still open at a provider is closed (rule 1). */
export function otherAttemptsClose(order: Order, at: number): OrderEvent[] {
  return isUnpaid(order) ? [] : order.payments.filter(needsClosing).map(({ id }) => attemptCloses(id, at));
}

/** Free and test orders need no money. */
export function paidWithoutMoney(order: Order, at: number): OrderEvent[] {
  return order.status === 'pending_payment' && (order.test || order.total === 0)
    ? [{ type: 'order.paid', payment: null, paidAt: at, at, by: SYSTEM }]
    : [];
}
