import { z } from 'zod';

/** A merchant's app as PayPal knows it. */
export const PaypalMerchantFields = z.object({
  clientId: z.string().regex(/^[\w-]{16,128}$/),
  clientSecret: z.string().min(16).max(256),
  /** Whom the money is for. */
  payeeId: z.string().regex(/^[A-Z0-9]{13}$/),
  /** Where the app's events go; null keeps them. */
  webhook: z.object({ id: z.string().regex(/^[A-Z0-9]{17}$/), url: z.url({ protocol: /^https?$/ }) }).nullable(),
});

export type PaypalMerchant = z.infer<typeof PaypalMerchantFields>;

/** By client id. Throws on what the platform could not work with. */
export function knownMerchants(merchants: readonly PaypalMerchant[]): ReadonlyMap<string, PaypalMerchant> {
  const known = new Map<string, PaypalMerchant>();
  for (const merchant of merchants.map((each) => PaypalMerchantFields.parse(each))) {
    if (known.has(merchant.clientId)) throw new Error(`two merchants have the clientId ${merchant.clientId}`);
    known.set(merchant.clientId, merchant);
  }
  return known;
}
