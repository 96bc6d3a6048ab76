import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { ProviderName } from '../domain/method.ts';
import type { Database, MerchantSettings, Scope } from './schema.ts';

/** Keys are long and random, so a plain hash is enough to keep them unreadable. */
export const hashOfKey = (key: string): Buffer => createHash('sha256').update(key).digest();

export async function putMerchant(
  db: Kysely<Database>,
  merchant: { id: string; name: string; settings: MerchantSettings },
): Promise<void> {
  const row = { ...merchant, settings: JSON.stringify(merchant.settings) };
  await db
    .insertInto('merchants')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

export type NewKey = {
  id: string;
  merchant: string;
  key: string;
  kind: 'api' | 'operator';
  name: string;
  scopes: readonly Scope[];
};

/** A key that is there already is left as it is. */
export async function putKey(db: Kysely<Database>, { id, merchant, key, kind, name, scopes }: NewKey): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({ id, merchant_id: merchant, hash: hashOfKey(key), kind, name, scopes: [...scopes], revoked_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** @param config public parts as they are, secrets only as `file:…` or `env:…` */
export async function putProviderAccount(
  db: Kysely<Database>,
  merchant: string,
  provider: ProviderName,
  config: Record<string, unknown>,
): Promise<void> {
  const row = { merchant_id: merchant, provider, config: JSON.stringify(config) };
  await db
    .insertInto('provider_accounts')
    .values(row)
    .onConflict((conflict) => conflict.columns(['merchant_id', 'provider']).doUpdateSet({ config: row.config }))
    .execute();
}

/** Null if the merchant has no account there. */
export async function findProviderAccount(
  db: Kysely<Database>,
  merchant: string,
  provider: ProviderName,
): Promise<unknown> {
  const row = await db
    .selectFrom('provider_accounts')
    .select('config')
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .executeTakeFirst();
  return row?.config ?? null;
}
