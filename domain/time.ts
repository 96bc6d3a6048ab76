import { autoReceiptAt, hasFailed } from './delivery.ts';
import { dutiesOf, isSettled, type Duty } from './duties.ts';
import type { OrderEvent } from './events.ts';
import { PAUSES } from './limits.ts';
import type { Item, Order, Refund } from './order.ts';
import { isOpen, isPaid, isUnpaid, SYSTEM } from './order.ts';
import { refundTriedAgain } from './refund.ts';

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
      .filter((p) => isOpen(p) && p.expiresAt < order.expiresAt)
      .map((p): Deadline => ({
        at: p.expiresAt,
        events: (at) => [{ type: 'attempt_closing', payment: p.id, at, by: SYSTEM }],
      })),
  ];
}

function deliveryDeadlines(order: Order): Deadline[] {
  if (!isPaid(order)) return [];
  const receipt = autoReceiptAt(order);
  return [
    ...(receipt === null
      ? []
      : [{ at: receipt, events: (at: number): OrderEvent[] => [{ type: 'order.received', at, by: SYSTEM }] }]),
    ...order.items
      .filter(isAwaited)
      .map((item): Deadline => ({ at: timeoutOf(order, item), events: (at) => [timedOut(item, at)] })),
  ];
}
const isAwaited = (item: Item): boolean =>
  item.deliveryTimeoutSeconds !== null &&
  !hasFailed(item) &&
  (item.status === 'waiting' || item.status === 'delivering') &&
  item.withdrawn < item.quantity;
const timeoutOf = (order: Order, item: Item): number =>
  Math.max(order.paidAt ?? 0, item.status === 'delivering' ? (item.updatedAt ?? 0) : 0) +
  (item.deliveryTimeoutSeconds ?? 0) * 1000;
const timedOut = (item: Item, at: number): OrderEvent => ({
  type: 'item.delivery_updated',
  items: [{ item: item.id, status: 'timed_out', arrived: item.arrived, tracking: item.tracking }],
  detail: null,
  at,
  by: SYSTEM,
});

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
export const isImpatient = (type: Duty['type']): boolean => type === 'close_attempt' || type === 'make_refund';
