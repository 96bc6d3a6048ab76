import { unreachable } from './brand.ts';
import type { TimelineEvent } from './events.ts';
import type { Order } from './order.ts';

/** What a merchant can be told about: contract, "Event and notification types". */
export const NOTIFICATION_TYPES = [
  'order.created',
  'order.confirmed',
  'order.paid',
  'order.processing',
  'order.completed',
  'order.cancelled',
  'order.expired',
  'payment.opened',
  'payment.processing',
  'payment.failed',
  'payment.closed',
  'payment.disputed',
  'item.delivery_updated',
  'refund.requested',
  'refund.reviewed',
  'refund.succeeded',
  'refund.failed',
  'refund.overdue',
  'order.received',
  'order.reviewed',
] as const satisfies readonly TimelineEvent['type'][];
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** The published pauses between attempts, in milliseconds: contract, "Event and notification types". */
export const NOTIFICATION_PAUSES = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
] as const;
const SPREAD = 0.2;

/**
 * How long to wait after that many failed attempts, in milliseconds; null: given up.
 * @param random from 0 to 1: spreads the pauses by 20 % to either side, so that not all come back at once
 */
export function pauseAfter(failures: number, random: number): number | null {
  const pause = NOTIFICATION_PAUSES[failures - 1];
  return pause === undefined ? null : Math.round(pause * (1 - SPREAD + 2 * SPREAD * random));
}

/**
 * What makes this event the same one when a workflow task is repeated: what happened to what, and neither its time nor
 * its place in the timeline. May occur again in an order (a redelivery), so occurrences are counted with it.
 * @param order as it is after the event
 */
export const causeOf = (event: TimelineEvent, order: Order): string =>
  JSON.stringify([event.type, ...subjectOf(event, order)]);

function subjectOf(event: TimelineEvent, order: Order): unknown[] {
  switch (event.type) {
    case 'payment.disputed':
      return [event.payment, event.capture.tradeNo];
    case 'payment.opened':
    case 'payment.processing':
    case 'payment.failed':
    case 'payment.closed':
      return [event.payment];
    case 'item.delivery_updated':
      return event.items.map(({ item, status, arrived }) => [item, status, arrived]);
    case 'refund.requested':
      return [event.refund.id];
    case 'refund.reviewed':
      return [event.refund, event.decision, 'ignored' in event];
    case 'refund.succeeded':
    case 'refund.failed':
    case 'refund.overdue':
      return [event.refund, order.refunds.find(({ id }) => id === event.refund)?.tries ?? 0];
    case 'order.created':
    case 'order.confirmed':
    case 'order.paid':
    case 'order.processing':
    case 'order.completed':
    case 'order.cancelled':
    case 'order.expired':
    case 'order.received':
    case 'order.reviewed':
      return [];
    default:
      return unreachable(event);
  }
}
