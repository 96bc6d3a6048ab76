import { createHash, randomBytes } from 'node:crypto';
import type { OrderId, RefundId } from '../domain/ids.ts';

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32: nothing that looks like something else.
const LENGTH = 20;
const TIME_LENGTH = 9;

const lettersOf = (bytes: Uint8Array, count: number): string =>
  Array.from({ length: count }, (_, index) => LETTERS[bytes[index]! & 31]).join('');

function timeLetters(at: number): string {
  let rest = at;
  let letters = '';
  for (let index = 0; index < TIME_LENGTH; index++) {
    letters = LETTERS[rest % 32]! + letters;
    rest = Math.floor(rest / 32);
  }
  return letters;
}

/** Twenty letters: the same ones for the same seed; without one, never given before, later ones sorting later. */
function fresh(seed: string | undefined, what: string, now: number): string {
  if (seed !== undefined) return lettersOf(createHash('sha256').update(`${what}/${seed}`).digest(), LENGTH);
  return timeLetters(now) + lettersOf(randomBytes(LENGTH), LENGTH - TIME_LENGTH);
}

/** @param seed given where a request may be repeated: see idempotency.ts */
export const newOrderId = (seed: string | undefined, now: number) => `ord_${fresh(seed, 'order', now)}` as OrderId;
export const newRefundId = (seed: string | undefined, now: number) => `ref_${fresh(seed, 'refund', now)}` as RefundId;
export const newBuyerId = (now: number): string => `byr_${fresh(undefined, 'buyer', now)}`;
export const newEndpointId = (seed: string | undefined, now: number): string => `whe_${fresh(seed, 'endpoint', now)}`;
export const newNoticeId = (now: number): string => `ntc_${fresh(undefined, 'notice', now)}`;

export const isOrderId = (id: string): id is OrderId => /^ord_[0-9a-z]{20}$/.test(id);
