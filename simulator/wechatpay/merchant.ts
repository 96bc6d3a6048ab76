import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** A merchant as WeChat Pay knows it. */
export const WechatpayMerchantFields = z.object({
  mchid: z.string().regex(/^[0-9A-Za-z]{1,32}$/),
  appids: z.array(z.string().min(1).max(32)).min(1),
  /** Of the merchant's API certificate, in hex and upper case. */
  serialNo: z.string().regex(/^[0-9A-F]{1,40}$/, 'must be hex in upper case'),
  /** Of the merchant's API certificate's key. */
  publicKeyPem: z.string().startsWith('-----BEGIN'),
  /** The AES key of notices and certificates. */
  apiV3Key: z.string().regex(/^[\x21-\x7e]{32}$/, 'must be 32 ASCII characters'),
});

export type WechatpayMerchant = z.infer<typeof WechatpayMerchantFields>;

export type KnownMerchant = Omit<WechatpayMerchant, 'publicKeyPem'> & { publicKey: KeyObject };

/** By mchid. Throws on what the platform could not work with. */
export function knownMerchants(merchants: readonly WechatpayMerchant[]): ReadonlyMap<string, KnownMerchant> {
  const known = new Map<string, KnownMerchant>();
  for (const merchant of merchants) {
    const { publicKeyPem, ...rest } = WechatpayMerchantFields.parse(merchant);
    if (known.has(rest.mchid)) throw new Error(`two merchants have the mchid ${rest.mchid}`);
    known.set(rest.mchid, { ...rest, publicKey: createPublicKey(publicKeyPem) });
  }
  return known;
}
