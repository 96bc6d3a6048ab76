import { LIMITS } from '../domain/limits.ts';
import { METHODS } from '../domain/method.ts';
import type { Wish } from '../domain/commands.ts';
import { ACTOR_TYPES } from '../domain/order.ts';
import { fieldsOf } from './signals.ts';

/** Updates can be sent by hand: one without the form of a wish is refused, it must not stop the order. */

type Check = (value: unknown) => boolean;

/** PostgreSQL stores no U+0000 and no half of a character. */
const text: Check = (value) =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= LIMITS.reasonLength * 2 &&
  !/\0|\p{Surrogate}/u.test(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** Who pays, sealed by the API; not every method needs to know. */
const sealed: Check = (value) =>
  value === undefined || (typeof value === 'string' && /^[\x21-\x7e]{1,4096}$/.test(value));
const count: Check = (value) => Number.isSafeInteger(value);
const moment: Check = (value) => value === undefined || count(value);
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const actor: Check = (value) => {
  const fields = fieldsOf(value);
  return oneOf(...ACTOR_TYPES)(fields['type']) && (fields['name'] === undefined || optional(text)(fields['name']));
};
const reviewer: Check = (value) => {
  const fields = fieldsOf(value);
  return text(fields['key']) && text(fields['name']) && (fields['person'] === undefined || text(fields['person']));
};
const ask: Check = (value) => {
  const fields = fieldsOf(value);
  if (fields['type'] === 'amount') return count(fields['amount']);
  if (fields['type'] === 'items') return Array.isArray(fields['items']) && fields['items'].every(units);
  return fields['type'] === 'all';
};
const units: Check = (value) => {
  const fields = fieldsOf(value);
  return text(fields['item']) && count(fields['quantity']);
};

type Shape<T extends Wish['type']> = Record<Exclude<keyof Extract<Wish, { type: T }>, 'type' | 'by'>, Check>;
const SHAPES: { [T in Wish['type']]: Shape<T> } = {
  confirm: {},
  open_payment: { method: oneOf(...Object.keys(METHODS)), buyer: sealed, askedAt: moment },
  cancel: { because: oneOf('customer', 'merchant'), applicant: text, reason: optional(text) },
  apply_refund: { refund: text, ask, reason: text, origin: oneOf('customer', 'merchant'), applicant: text },
  review_refund: {
    refund: text,
    decision: oneOf('approve', 'reject'),
    reviewer,
    fourEyes: (value) => value === undefined || typeof value === 'boolean',
    note: optional(text),
  },
  resolve_dispute: { payment: text, decision: oneOf('return', 'accept'), note: text, applicant: text },
  redeliver: { item: text },
  redeem_code: { redemption: text },
  confirm_receipt: {},
  review: { rating: count, comment: optional(text) },
  retry: {},
};

/** @returns what is wrong with it, naming the field; null if it has its form */
export function flawOf(wish: { type: Wish['type'] }): string | null {
  const checks: [string, Check][] = [...Object.entries(SHAPES[wish.type]), ['by', actor]];
  const wrong = checks.find(([field, isRight]) => !isRight(fieldsOf(wish)[field]));
  return wrong ? `The field "${wrong[0]}" of "${wish.type}" is missing or has no proper form.` : null;
}
