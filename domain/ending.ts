import type { CommandOf } from './commands.ts';
import type { Decision } from './decision.ts';
import { done, nothing, refused } from './decision.ts';
import type { OrderEvent } from './events.ts';
import { cancellationId } from './ids.ts';
import type { Actor, Order, Refund } from './order.ts';
import { isOpen, isPaid } from './order.ts';
import { refusalWhenUnpaidIsOver } from './payment.ts';
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

function cancelPaid(order: Order, { by, because, applicant, reason }: CommandOf<'cancel'>, at: number): Decision {
  if (dispatchIsHeld(order)) return nothing;
  if (order.items.some(({ status }) => status !== 'waiting'))
    return refused('invalid_state', 'An item is already on its way.');
  if (order.refunds.some(({ status }) => status === 'requested'))
    return refused('invalid_state', 'A refund application is undecided.');
  if (order.total === 0) return done({ type: 'order.cancelled', reason: because, detail: reason, at, by });
  if (leftAmount(order) <= 0) return refused('refund_exceeds_paid', 'Nothing is left to refund.');
  return done(cancellation(order, { by, applicant, reason }, at));
}

export const cancellation = (
  order: Order,
  { by, applicant, reason }: { by: Actor; applicant: string; reason: string | null },
  at: number,
): OrderEvent => {
  const index = order.refunds.filter(({ origin }) => origin === 'cancellation').length;
  const refund = newRefund(
    order,
    {
      id: cancellationId(order.id, index),
      ask: { type: 'all' },
      amount: leftAmount(order),
      origin: 'cancellation',
      applicant,
      reason,
    },
    at,
  );
  return { type: 'refund.requested', refund, at, by };
};

const isUnderWay = ({ status }: Refund) => status === 'requested' || status === 'approved' || status === 'processing';

/** While a cancellation is being decided, nothing is dispatched or granted. */
export const dispatchIsHeld = (order: Order): boolean =>
  order.refunds.some((refund) => refund.origin === 'cancellation' && isUnderWay(refund));

/** What follows for an unpaid order that is about to end: close what is open, then end it (rule 5). */
export function afterEnding(order: Order, at: number, by: Actor): OrderEvent[] {
  const { ending } = order;
  if (!ending) return [];
  if (isPaid(order))
    return order.items.some(({ status }) => status !== 'waiting') ? [] : [cancellation(order, ending, at)];
  const open = order.payments.filter(isOpen);
  if (open.length > 0) return open.map((p): OrderEvent => ({ type: 'attempt_closing', payment: p.id, at, by }));
  if (order.payments.some(({ closingSince }) => closingSince !== null)) return [];
  if (ending.because === 'expired') return [{ type: 'order.expired', at, by: ending.by }];
  return [{ type: 'order.cancelled', reason: ending.because, detail: ending.reason, at, by: ending.by }];
}
