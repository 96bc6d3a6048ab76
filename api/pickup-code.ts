import { createHmac, randomInt } from 'node:crypto';
import type { NewPickupCode } from '../db/pickup.ts';
import type { Sealer } from '../db/sealed.ts';

/**
 * What is typed at a machine: nine digits, from a secure source. Stored sealed, to be shown, and as a keyed hash, to be
 * found by: who reads the database learns no code. See docs/adr/0012-machines-behind-a-backend.md.
 */
const DIGITS = 9;
const PURPOSE = 'pickup-code';
const contextOf = (order: string): string => `pickup_codes.code/${order}`;

export function newPickupCode(
  sealer: Sealer,
  { order, merchant, machineNo }: { order: string; merchant: string; machineNo: string | null },
): NewPickupCode {
  const code = String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
  return { hash: hashOf(sealer.derive(PURPOSE), merchant, code), code: sealer.seal(code, contextOf(order)), machineNo };
}

export const readPickupCode = (sealer: Sealer, order: string, sealed: string): string =>
  sealer.open(sealed, contextOf(order)) as string;

/** By every key that codes were made with. @param typed as people type it, perhaps in groups */
export const hashesOf = (sealer: Sealer, merchant: string, typed: string): Buffer[] =>
  sealer.deriveAll(PURPOSE).map((key) => hashOf(key, merchant, typed.replaceAll(/[\s-]/g, '')));

const hashOf = (key: Buffer, merchant: string, code: string): Buffer =>
  createHmac('sha256', key).update(`${merchant}/${code}`).digest();
