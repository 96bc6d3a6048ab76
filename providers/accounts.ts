import { readFileSync } from 'node:fs';
import type { ProviderName } from '../domain/method.ts';
import { createProvider } from './index.ts';
import type { PaymentProvider } from './provider.ts';

/** Reads what a merchant's account is configured with; null if it has none there. */
export type LoadAccount = (merchant: string, provider: ProviderName) => Promise<unknown>;
/** @returns null if the merchant has no account there */
export type FindProvider = (merchant: string, provider: ProviderName) => Promise<PaymentProvider | null>;

/** A change of an account counts after so long. Milliseconds. */
const KEPT = 10_000;

/** The adapters of all merchants' accounts, made when first needed and kept for a moment. */
export function providerAccounts(load: LoadAccount, env: Readonly<Record<string, string | undefined>>): FindProvider {
  const kept = new Map<string, { until: number; provider: Promise<PaymentProvider | null> }>();
  const make = async (merchant: string, name: ProviderName) => {
    const config = await load(merchant, name);
    return config === null || config === undefined ? null : createProvider(name, withSecrets(config, env));
  };
  return (merchant, name) => {
    const key = `${name}/${merchant}`;
    const known = kept.get(key);
    if (known && known.until > Date.now()) return known.provider;
    const provider = make(merchant, name);
    kept.set(key, { until: Date.now() + KEPT, provider });
    provider.catch(() => kept.delete(key));
    return provider;
  };
}

/** Secrets are never stored: `file:/path` and `env:NAME` stand for what is found there. @throws naming what is missing */
function withSecrets(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === 'string') return secretOf(value, env);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withSecrets(part, env)]));
}

function secretOf(value: string, env: Readonly<Record<string, string | undefined>>): string {
  if (value.startsWith('file:')) return readFileSync(value.slice('file:'.length), 'utf8').trim();
  if (!value.startsWith('env:')) return value;
  const name = value.slice('env:'.length);
  const found = env[name];
  if (!found) throw new Error(`the provider account needs the environment variable ${name}`);
  return found;
}
