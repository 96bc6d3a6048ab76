import { readFileSync } from 'node:fs';
import type { ProviderName } from '../domain/method.ts';
import { guarded, newBreaker, type Breaker } from './guarded.ts';
import { createProvider } from './index.ts';
import type { PaymentProvider } from './provider.ts';

/** Reads what a merchant's account is configured with; null if it has none there. */
export type LoadAccount = (merchant: string, provider: ProviderName) => Promise<unknown>;
/** @returns null if the merchant has no account there */
export type FindProvider = (merchant: string, provider: ProviderName) => Promise<PaymentProvider | null>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A change of an account counts after so long. Milliseconds. */
const KEPT = 10_000;

/** The adapters of all merchants' accounts, made when first needed and kept for a moment. */
export function providerAccounts(load: LoadAccount, env: Environment): FindProvider {
  /** They outlive the adapters: an outage is not over because an account was read anew. */
  const breakers = new Map<string, Breaker>();
  return keptAccounts(async (merchant, name) => {
    const config = await load(merchant, name);
    if (config === null || config === undefined) return null;
    const key = `${name}/${merchant}`;
    const breaker = breakers.get(key) ?? newBreaker();
    breakers.set(key, breaker);
    return guarded(createProvider(name, withSecrets(config, env)), breaker);
  });
}

/** Each account is made when it is first needed, and kept for a moment; what failed or is missing is looked for anew. */
export function keptAccounts<Names extends string[], T>(
  make: (...names: Names) => Promise<T>,
): (...names: Names) => Promise<T> {
  const kept = new Map<string, { until: number; account: Promise<T> }>();
  return (...names) => {
    const key = names.join('/');
    const known = kept.get(key);
    if (known && known.until > Date.now()) return known.account;
    const account = make(...names);
    kept.set(key, { until: Date.now() + KEPT, account });
    account.then(
      (found) => found ?? kept.delete(key),
      () => kept.delete(key),
    );
    return account;
  };
}

/** Secrets are never stored: `file:/path` and `env:NAME` stand for what is found there. @throws naming what is missing */
export function withSecrets(value: unknown, env: Environment): unknown {
  if (typeof value === 'string') return secretOf(value, env);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => withSecrets(part, env));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withSecrets(part, env)]));
}

function secretOf(value: string, env: Environment): string {
  if (value.startsWith('file:')) return readFileSync(value.slice('file:'.length), 'utf8').trim();
  if (!value.startsWith('env:')) return value;
  const name = value.slice('env:'.length);
  const found = env[name];
  if (!found) throw new Error(`the environment variable ${name} is missing`);
  return found;
}
