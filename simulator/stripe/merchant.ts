import { z } from 'zod';

/** A merchant as Stripe knows it. */
export const StripeMerchantFields = z.object({
  stripeAccount: z.string().regex(/^acct_\w{1,64}$/),
  secretKey: z.string().regex(/^sk_test_\w{1,128}$/),
  /** Where its webhook endpoint is; null: it has none, and is told nothing. */
  webhookUrl: z.url({ protocol: /^https?$/ }).nullable(),
  /** Each signs every event: two of them while a secret is rolled. */
  webhookSecrets: z.array(z.string().startsWith('whsec_')).min(1),
});

export type StripeMerchant = z.infer<typeof StripeMerchantFields>;

/** By secret key. Throws on what Stripe could not work with. */
export function knownMerchants(merchants: readonly StripeMerchant[]): ReadonlyMap<string, StripeMerchant> {
  const known = new Map<string, StripeMerchant>();
  for (const merchant of merchants.map((each) => StripeMerchantFields.parse(each))) {
    if (known.has(merchant.secretKey)) throw new Error(`two Stripe accounts have the same secret key`);
    known.set(merchant.secretKey, merchant);
  }
  return known;
}
