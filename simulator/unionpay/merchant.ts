import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** A merchant as UnionPay knows it. */
export const UnionpayMerchantFields = z.object({
  merId: z.string().regex(/^[0-9A-Za-z]{15}$/, 'must be 15 letters or digits'),
  /** The serial number of the merchant's signing certificate, in decimal. */
  certId: z.string().regex(/^[1-9]\d{0,60}$/, 'must be decimal'),
  /** That certificate, or its public key. */
  publicKeyPem: z.string().startsWith('-----BEGIN'),
});

export type UnionpayMerchant = z.infer<typeof UnionpayMerchantFields>;
export type KnownMerchant = Omit<UnionpayMerchant, 'publicKeyPem'> & { publicKey: KeyObject };

/** By merId. Throws on what the platform could not work with. */
export function knownMerchants(merchants: readonly UnionpayMerchant[]): ReadonlyMap<string, KnownMerchant> {
  const known = new Map<string, KnownMerchant>();
  for (const merchant of merchants) {
    const { publicKeyPem, ...rest } = UnionpayMerchantFields.parse(merchant);
    if (known.has(rest.merId)) throw new Error(`two merchants have the merId ${rest.merId}`);
    known.set(rest.merId, { ...rest, publicKey: createPublicKey(publicKeyPem) });
  }
  return known;
}
