import type { Actor, Tracking } from '../domain/order.ts';
import type { Arrival } from './book.ts';

/** Signals can be sent by hand: what doesn't have the form of one is left aside, it must not stop the order. */

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const fieldsOf = (signal: unknown): Record<string, unknown> =>
  typeof signal === 'object' && signal !== null ? (signal as Record<string, unknown>) : {};

export function arrivalOfNotice(signal: unknown): Arrival[] {
  const { noticeId } = fieldsOf(signal);
  return isText(noticeId) ? [{ type: 'notice', noticeId }] : [];
}

export function arrivalOfDecision(signal: unknown): Arrival[] {
  const { refundId, decision, reviewer, note } = fieldsOf(signal);
  if (!isText(refundId) || !isText(reviewer) || (decision !== 'approve' && decision !== 'reject')) return [];
  return [{ type: 'decision', refundId, decision, reviewer, note: isText(note) ? note : null }];
}

const STATUSES = ['delivering', 'delivered', 'picked_up', 'failed'] as const;

export function arrivalOfReport(signal: unknown): Arrival[] {
  const { itemId, status, quantity, tracking, detail, by } = fieldsOf(signal);
  const known = STATUSES.find((s) => s === status);
  if (!isText(itemId) || !known) return [];
  if (quantity !== undefined && quantity !== null && !(Number.isInteger(quantity) && Number(quantity) > 0)) return [];
  return [
    {
      type: 'delivery',
      report: {
        itemId,
        status: known,
        quantity: (quantity as number | undefined) ?? null,
        tracking: trackingOf(tracking),
        detail: isText(detail) ? detail : null,
        ...(by ? { by: by as Actor } : {}),
      },
    },
  ];
}

function trackingOf(value: unknown): Tracking | null {
  const { carrier, number } = fieldsOf(value);
  return isText(carrier) && isText(number) ? { carrier, number } : null;
}
