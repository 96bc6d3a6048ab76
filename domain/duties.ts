import { dispatchableSince, isAwaited } from './delivery-time.ts';
import { awaitsDispatch, nextDispatch, unitsToDispatch } from './dispatch.ts';
import type { ItemId, PaymentId, RefundId } from './ids.ts';
import { dispatchIsHeld } from './item.ts';
import { PAUSES } from './limits.ts';
import type { Order, Payment } from './order.ts';
import { isLive, isOpened, isPaid, isUnpaid, isWatched } from './order.ts';
import { unconfirmedOf } from './unconfirmed.ts';
import { isWaiting } from './waiting-attempts.ts';

/**
 * What is still owed to the world. `key` is the same as long as it is the same duty; `since` is when it came to be
 * owed, `dueAt` from when on it is to be done (both epoch milliseconds).
 */
export type Duty = { key: string; since: number; dueAt: number } & (
  | { type: 'open_attempt'; payment: PaymentId }
  | { type: 'watch_attempt'; payment: PaymentId }
  | { type: 'capture_attempt'; payment: PaymentId }
  | { type: 'close_attempt'; payment: PaymentId }
  | { type: 'confirm_payment'; payment: PaymentId }
  | { type: 'make_refund'; refund: RefundId }
  | { type: 'watch_refund'; refund: RefundId }
  | { type: 'dispatch_item'; item: ItemId; dispatch: number; quantity: number; mayBeTaken: boolean }
);

/** Everything the order owes, from its state alone, whatever path led there. */
export function dutiesOf(order: Order): Duty[] {
  return [...attemptDuties(order), ...refundDuties(order), ...dispatchDuties(order)];
}

function attemptDuties(order: Order): Duty[] {
  return order.payments.flatMap((payment): Duty[] => {
    const { id, closingSince, startedAt, approvedAt } = payment;
    const told = unconfirmedOf(payment);
    if (told) return [{ key: `confirm/${id}`, type: 'confirm_payment', payment: id, since: told.at, dueAt: told.at }];
    if (!isLive(payment) && !isWatched(payment)) return [];
    if (closingSince !== null)
      return [{ key: `close/${id}`, type: 'close_attempt', payment: id, since: closingSince, dueAt: closingSince }];
    if (isWatched(payment)) return [watching(order, payment)];
    if (!isUnpaid(order)) return [];
    if (!isOpened(payment) && !isWaiting(payment)) {
      const dueAt = openableAt(order, payment);
      return [{ key: `open/${id}`, type: 'open_attempt', payment: id, since: startedAt, dueAt }];
    }
    if (!approvedAt) return [watching(order, payment)];
    return [{ key: `capture/${id}`, type: 'capture_attempt', payment: id, since: approvedAt, dueAt: approvedAt }];
  });
}

/** Asked about as long as the order wants money; what could not be closed, once more in the end (rule 5). */
function watching(order: Order, { id, startedAt, watched }: Payment): Duty {
  const dueAt = watched && !isUnpaid(order) ? watched.until : startedAt + PAUSES.firstAsking;
  return { key: `watch/${id}`, type: 'watch_attempt', payment: id, since: startedAt, dueAt };
}

/** An attempt is opened once the earlier ones are closed, or their providers have been silent for too long (rule 1). */
const openableAt = (order: Order, payment: Payment): number =>
  order.payments.some((p) => p.closingSince !== null)
    ? payment.startedAt + PAUSES.closingOfEarlierAttempt
    : payment.startedAt;

function refundDuties(order: Order): Duty[] {
  return order.refunds.flatMap((refund): Duty[] => {
    if (refund.source === null) return [];
    if (refund.status === 'approved') {
      const since = refund.owedSince ?? refund.createdAt;
      return [
        { key: `refund/${refund.id}/${refund.tries}`, type: 'make_refund', refund: refund.id, since, dueAt: since },
      ];
    }
    if (refund.status !== 'processing') return [];
    const since = refund.processingSince ?? refund.createdAt;
    return [
      {
        key: `settle/${refund.id}/${refund.tries}`,
        type: 'watch_refund',
        refund: refund.id,
        since,
        dueAt: since + PAUSES.firstRefundAsking,
      },
    ];
  });
}

/**
 * Machines are told what to dispense; all of a test order has arrived at once. An item that is no longer waiting may be in its machine's
 * hands already: it is told again until it answers. Another quantity is another duty, under the same number.
 */
function dispatchDuties(order: Order): Duty[] {
  if (!isPaid(order) || dispatchIsHeld(order)) return [];
  const begun = dispatchableSince(order);
  return order.items.filter(awaitsDispatch).map((item) => {
    const [dispatch, quantity] = [nextDispatch(item), unitsToDispatch(item)];
    const mayBeTaken = item.status !== 'waiting';
    const since = mayBeTaken ? (item.updatedAt ?? begun) : begun;
    const key = `${mayBeTaken ? 'dispatch-again' : 'dispatch'}/${item.id}/${dispatch}/${quantity}`;
    return { key, type: 'dispatch_item', item: item.id, dispatch, quantity, mayBeTaken, since, dueAt: since };
  });
}

/** Nothing is owed to the world, and nothing is to come of itself or by a decision: its workflow may close. */
export const isSettled = (order: Order): boolean =>
  (order.status === 'completed' || order.status === 'cancelled') &&
  dutiesOf(order).length === 0 &&
  !order.refunds.some(({ status, retryAt }) => status === 'requested' || retryAt !== null) &&
  !(isPaid(order) && order.items.some(isAwaited));
