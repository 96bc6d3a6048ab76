import { autoReceiptAt } from './completion.ts';
import type { Decision } from './decision.ts';
import { done } from './decision.ts';
import { deliveryDeadline, isAwaited, timerStands } from './delivery-time.ts';
import { dutiesOf, isSettled, type Duty } from './duties.ts';
import type { ItemChange, OrderEvent } from './events.ts';
import { changeTo, itemsUpdated } from './item.ts';
import { PAUSES } from './limits.ts';
import type { Actor, Order, Refund } from './order.ts';
import { isPaid, isUnpaid, needsClosing, SYSTEM } from './order.ts';
import { attemptCloses } from './payment.ts';
import { refundTriedAgain, strayRefunds } from './refund.ts';

/** A moment at which something is to happen by itself, and what: the one list that the alarm and the deeds share. */
type Deadline = { at: number; events: (at: number) => OrderEvent[] };

function deadlines(order: Order): Deadline[] {
  return [...expiries(order), ...deliveryDeadlines(order), ...refundDeadlines(order), ...delays(order)];
}

/** When something is due next by time alone; null if nothing is. Epoch milliseconds. */
export function deadlineOf(order: Order): number | null {
  if (isSettled(order)) return null;
  const moments = deadlines(order).map(({ at }) => at);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** What has come due by `at`. */
export const timePassed = (order: Order, at: number): OrderEvent[] =>
  deadlines(order)
    .filter((deadline) => deadline.at <= at)
    .flatMap(({ events }) => events(at));

function expiries(order: Order): Deadline[] {
  if (!isUnpaid(order) || order.ending) return [];
  const ending = (since: number) =>
    ({ because: 'expired', by: SYSTEM, applicant: 'system', reason: null, since }) as const;
  return [
    { at: order.expiresAt, events: (at) => [{ type: 'closing_began', ending: ending(at), at, by: SYSTEM }] },
    ...order.payments
      .filter((p) => needsClosing(p) && p.expiresAt < order.expiresAt)
      .map((p): Deadline => ({ at: p.expiresAt, events: (at) => [attemptCloses(p.id, at)] })),
  ];
}

function deliveryDeadlines(order: Order): Deadline[] {
  if (!isPaid(order)) return [];
  const receipt = autoReceiptAt(order);
  return [...(receipt === null ? [] : [{ at: receipt, events: receivedByItself }]), ...lateDeliveries(order)];
}
const receivedByItself = (at: number): OrderEvent[] => [{ type: 'order.received', at, by: SYSTEM }];

/** Items whose delivery is late by then are told of together. */
function lateDeliveries(order: Order): Deadline[] {
  const awaited = order.items
    .filter((item) => isAwaited(item) && !timerStands(order, item))
    .map((item) => ({ item, lateAt: deliveryDeadline(order, item) }));
  if (awaited.length === 0) return [];
  const first = Math.min(...awaited.map(({ lateAt }) => lateAt));
  const changes = (at: number): ItemChange[] =>
    awaited.filter(({ lateAt }) => lateAt <= at).map(({ item }) => changeTo('timed_out', item));
  return [{ at: first, events: (at) => [itemsUpdated(changes(at), null, at, SYSTEM)] }];
}

function refundDeadlines(order: Order): Deadline[] {
  return order.refunds.flatMap((refund: Refund): Deadline[] => {
    if (refund.status === 'requested' && !refund.overdue)
      return [
        {
          at: refund.createdAt + PAUSES.untilOverdue,
          events: (at) => [{ type: 'refund.overdue', refund: refund.id, at, by: SYSTEM }],
        },
      ];
    if (refund.status === 'failed' && refund.retryAt !== null)
      return [{ at: refund.retryAt, events: (at) => [refundTriedAgain(refund, at)] }];
    return [];
  });
}

/** What can't be done for too long is shown (rule 9). Watching is no such thing: it takes as long as it takes. */
function delays(order: Order): Deadline[] {
  return dutiesOf(order)
    .filter(({ key, type }) => isImpatient(type) && !order.delayed.includes(key))
    .map((duty) => ({
      at: duty.since + PAUSES.untilAttention,
      events: (at) => [{ type: 'duty_delayed', duty: duty.key, at, by: SYSTEM }],
    }));
}
const isImpatient = (type: Duty['type']): boolean =>
  type === 'close_attempt' ||
  type === 'capture_attempt' ||
  type === 'confirm_payment' ||
  type === 'make_refund' ||
  type === 'dispatch_item';

/**
 * A person wants what is stuck tried again now: refunds that rest after a failure; what is under way is begun anew by
 * whoever carries the duties out. What no trying can mend has been seen.
 */
export function retry(order: Order, by: Actor, at: number): Decision {
  const resting = order.refunds.filter(({ retryAt }) => retryAt !== null);
  const isSeen =
    order.deliveredAfterRefund ||
    order.payments.some(({ foreignNoticeAt }) => foreignNoticeAt !== null) ||
    order.refunds.some((refund) => strayRefunds(refund).length > 0);
  const seen: OrderEvent[] = isSeen ? [{ type: 'attention_seen', at, by }] : [];
  return done(...resting.map((refund) => refundTriedAgain(refund, at, by)), ...seen);
}
