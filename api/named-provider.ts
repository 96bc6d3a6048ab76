import { PROVIDERS, type ProviderName } from '../domain/method.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import type { Services } from './env.ts';
import { notFound } from './problem.ts';

/** The merchant's account at a provider, both as a path names them. @throws Problem not_found */
export async function namedProvider(
  { findProvider }: Services,
  merchant: string,
  name: string,
): Promise<PaymentProvider> {
  const isKnown = (PROVIDERS as readonly string[]).includes(name) && /^[\w.-]{1,100}$/.test(merchant);
  const provider = isKnown ? await findProvider(merchant, name as ProviderName) : null;
  if (!provider) throw notFound();
  return provider;
}
