import type { KeyObject } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** A merchant as UnionPay knows it. */
export const UnionpayMerchantFields = z.object({
  merId: z.string().regex(/^[0-9A-Za-z]{15}$/, 'must be 15 letters or digits'),
  /** What its messages are signed with. */
  certificatePem: z.string().startsWith('-----BEGIN CERTIFICATE-----'),
});

export type UnionpayMerchant = z.infer<typeof UnionpayMerchantFields>;

/** `certId`: the certificate's serial number in decimal. */
export type KnownMerchant = { merId: string; certId: string; publicKey: KeyObject };

/** By merId. Throws on what the platform could not work with. */
export function knownMerchants(merchants: readonly UnionpayMerchant[]): ReadonlyMap<string, KnownMerchant> {
  const known = new Map<string, KnownMerchant>();
  for (const merchant of merchants) {
    const { merId, certificatePem } = UnionpayMerchantFields.parse(merchant);
    if (known.has(merId)) throw new Error(`two merchants have the merId ${merId}`);
    const { serialNumber, publicKey } = new X509Certificate(certificatePem);
    known.set(merId, { merId, certId: BigInt(`0x${serialNumber}`).toString(), publicKey });
  }
  return known;
}
