import { LIMITS } from '../domain/limits.ts';
import { ACTOR_TYPES, type Actor, type Tracking } from '../domain/order.ts';
import type { Arrival } from './book.ts';

/** Signals can be sent by hand: what doesn't have the form of one is left aside, it must not stop the order. */

/**
 * PostgreSQL stores no U+0000 and no half of a character: an order with one in it could never be saved again.
 * @returns null for what is no text
 */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, LIMITS.reasonLength).replaceAll(/\0|\p{Surrogate}/gu, '\ufffd')
    : null;
/** None, of what has none. */
export const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

export function arrivalOfNotice(signal: unknown): Arrival[] {
  const noticeId = textOf(fieldsOf(signal)['noticeId']);
  return noticeId === null ? [] : [{ type: 'notice', noticeId }];
}

export function arrivalOfDecision(signal: unknown): Arrival[] {
  const fields = fieldsOf(signal);
  const [refundId, reviewer, note] = [fields['refundId'], fields['reviewer'], fields['note']].map(textOf);
  const { decision } = fields;
  if (!refundId || !reviewer || (decision !== 'approve' && decision !== 'reject')) return [];
  return [{ type: 'decision', refundId, decision, reviewer, note: note ?? null }];
}

const STATUSES = ['delivering', 'delivered', 'picked_up', 'failed'] as const;

export function arrivalOfReport(signal: unknown): Arrival[] {
  const fields = fieldsOf(signal);
  const { quantity = null, dispatch = null } = fields;
  const itemId = textOf(fields['itemId']);
  const status = STATUSES.find((s) => s === fields['status']);
  if (itemId === null || !status) return [];
  if (![quantity, dispatch].every((count) => count === null || isCount(count))) return [];
  const by = actorOf(fields['by']);
  const report = {
    itemId,
    status,
    quantity: quantity as number | null,
    dispatch: dispatch as number | null,
    tracking: trackingOf(fields['tracking']),
    detail: textOf(fields['detail']),
    ...(by && { by }),
  };
  return [{ type: 'delivery', report }];
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

function trackingOf(value: unknown): Tracking | null {
  const fields = fieldsOf(value);
  const [carrier, number] = [fields['carrier'], fields['number']].map(textOf);
  return carrier && number ? { carrier, number } : null;
}

function actorOf(value: unknown): Actor | null {
  const fields = fieldsOf(value);
  const type = ACTOR_TYPES.find((one) => one === fields['type']);
  return type ? { type, name: textOf(fields['name']) } : null;
}
