import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { certificateSn } from './signature.ts';

/** A merchant as Alipay knows it. */
export const AlipayMerchantFields = z.object({
  alipayAppId: z.string().regex(/^\d{16}$/),
  /** The merchant's own number at Alipay (PID). */
  sellerId: z.string().regex(/^2088\d{12}$/),
  /** The application's public key. In certificate mode its certificate, which then has to be named in every call. */
  publicKeyPem: z.string().startsWith('-----BEGIN'),
});

export type AlipayMerchant = z.infer<typeof AlipayMerchantFields>;

/** `certSn`: null for one that uses no certificates. */
export type KnownMerchant = { appId: string; sellerId: string; publicKey: KeyObject; certSn: string | null };

/** By app id. Throws on what Alipay could not work with. */
export function knownMerchants(merchants: readonly AlipayMerchant[]): ReadonlyMap<string, KnownMerchant> {
  const known = new Map<string, KnownMerchant>();
  for (const merchant of merchants) {
    const { alipayAppId: appId, sellerId, publicKeyPem } = AlipayMerchantFields.parse(merchant);
    if (known.has(appId)) throw new Error(`two merchants have the Alipay application ${appId}`);
    const certSn = publicKeyPem.startsWith('-----BEGIN CERTIFICATE') ? certificateSn(publicKeyPem) : null;
    known.set(appId, { appId, sellerId, publicKey: createPublicKey(publicKeyPem), certSn });
  }
  return known;
}
