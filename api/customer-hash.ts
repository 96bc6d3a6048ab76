import { createHmac } from 'node:crypto';
import type { Sealer } from '../db/sealed.ts';

const PURPOSE = 'customer-id';

/** By which a merchant's orders of one customer are found, though the customer's id is sealed. */
export const customerHash = (sealer: Sealer, merchant: string, customer: string): Buffer =>
  hashOf(sealer.derive(PURPOSE), merchant, customer);

/** The same under every key that is known: an order keeps the hash that it was created with. */
export const customerHashes = (sealer: Sealer, merchant: string, customer: string): Buffer[] =>
  sealer.deriveAll(PURPOSE).map((key) => hashOf(key, merchant, customer));

const hashOf = (key: Buffer, merchant: string, customer: string): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([merchant, customer]))
    .digest();
