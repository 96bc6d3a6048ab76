import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Sealer } from '../db/sealed.ts';
import type { OrderId } from '../domain/ids.ts';

/**
 * `ct_{the order's letters}_{HMAC of its id}`: whoever has it is that order's customer. Nothing is stored; it stays
 * valid for as long as the key that made it is known.
 */
const TOKEN = /^ct_([0-9a-z]{20})_([\w-]{43})$/;
const PURPOSE = 'checkout-token';

export function checkoutToken(sealer: Sealer, order: OrderId): string {
  return `ct_${order.slice('ord_'.length)}_${codeOf(sealer.derive(PURPOSE), order)}`;
}

/** @returns the order that the token is for; null if it is none of ours */
export function readCheckoutToken(sealer: Sealer, token: string): OrderId | null {
  const [, letters, code] = TOKEN.exec(token) ?? [];
  if (!letters || !code) return null;
  const order = `ord_${letters}` as OrderId;
  const isOurs = sealer
    .deriveAll(PURPOSE)
    .some((key) => timingSafeEqual(Buffer.from(codeOf(key, order)), Buffer.from(code)));
  return isOurs ? order : null;
}

const codeOf = (key: Buffer, order: OrderId): string => createHmac('sha256', key).update(order).digest('base64url');
