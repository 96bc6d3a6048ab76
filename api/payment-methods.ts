import type { z } from '@hono/zod-openapi';
import type { Merchant } from '../db/keys.ts';
import { METHODS, methodTerms, providerOf, takesCurrency, type PaymentMethod } from '../domain/method.ts';
import type { Services } from './env.ts';
import { isDatabaseAway } from './errors.ts';
import { Problem } from './problem.ts';
import type { OfferedMethod } from './schemas.ts';

type Offered = z.infer<typeof OfferedMethod>;
type Reason = Exclude<Offered['reason'], null>;
/** What is to be paid; what is not known is not compared. */
type Purpose = { currency: string | undefined; amount: number | undefined };

/** Every method there is, and for each why this merchant doesn't offer it for that, if so. */
export function offeredMethods(services: Services, merchant: Merchant, purpose: Purpose): Promise<Offered[]> {
  const names = Object.keys(METHODS) as PaymentMethod[];
  return Promise.all(
    names.map(async (method) => {
      const reason = await whyNot(services, merchant, method, purpose);
      return { method, provider: providerOf(method), available: reason === null, reason };
    }),
  );
}

/** @throws Problem payment_method_unavailable, with the reason */
export async function checkMethod(
  services: Services,
  merchant: Merchant,
  method: PaymentMethod,
  purpose: { currency: string; amount: number },
): Promise<void> {
  const reason = await whyNot(services, merchant, method, purpose);
  if (reason) throw new Problem('payment_method_unavailable', WORDS[reason], { extra: { reason } });
}

const WORDS: Record<Reason, string> = {
  not_offered: 'The merchant does not offer this method.',
  not_configured: 'The merchant has no account at the provider of this method yet.',
  currency_not_supported: 'The merchant does not offer this method in the currency of the order.',
  amount_too_small: 'The amount is too small for this method.',
  amount_too_large: 'The amount is too large for this method.',
};

async function whyNot(
  services: Services,
  { id, settings }: Merchant,
  method: PaymentMethod,
  { currency, amount }: Purpose,
): Promise<Reason | null> {
  const offer = settings.methods.find((one) => one.method === method);
  if (!offer) return 'not_offered';
  if (currency !== undefined && !(offer.currencies.includes(currency) && takesCurrency(method, currency)))
    return 'currency_not_supported';
  if (amount !== undefined && amount < (offer.min_amount ?? 1)) return 'amount_too_small';
  const most = Math.min(offer.max_amount ?? Infinity, methodTerms(method).mostAmount ?? Infinity);
  if (amount !== undefined && amount > most) return 'amount_too_large';
  return (await hasAccount(services, id, method)) ? null : 'not_configured';
}

/** An account that can't be used, say for want of a secret, is as good as none; the log names what is missing. */
async function hasAccount({ findProvider, log }: Services, merchant: string, method: PaymentMethod): Promise<boolean> {
  try {
    return (await findProvider(merchant, providerOf(method))) !== null;
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    log.error({ merchant, method, err: error }, "a merchant's provider account can't be used");
    return false;
  }
}
