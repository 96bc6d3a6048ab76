/** What people change by `npm run orders`: merchants, keys and provider accounts, while everything runs. */
import { sql, type Kysely } from 'kysely';
import type { ProviderName } from '../domain/method.ts';
import type { Merchant } from './keys.ts';
import type { MerchantId } from '../domain/ids.ts';
import type { Database, MerchantSettings, Scope } from './schema.ts';

export async function listMerchants(db: Kysely<Database>): Promise<Merchant[]> {
  const rows = await db.selectFrom('merchants').select(['id', 'name', 'settings']).orderBy('id').execute();
  return rows.map((row) => ({ ...row, id: row.id as MerchantId }));
}

/** @returns false if there is a merchant with this id already */
export async function addMerchant(
  db: Kysely<Database>,
  { id, name, settings }: { id: string; name: string; settings: MerchantSettings },
): Promise<boolean> {
  const added = await db
    .insertInto('merchants')
    .values({ id, name, settings: JSON.stringify(settings) })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return added.length > 0;
}

/** Two people at once change one after the other. @returns the merchant as it is now; null if there is none */
export function changeMerchant(
  db: Kysely<Database>,
  id: string,
  change: (merchant: Merchant) => Pick<Merchant, 'name' | 'settings'>,
): Promise<Merchant | null> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('merchants')
      .select(['id', 'name', 'settings'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (!row) return null;
    const merchant = { ...row, id: row.id as MerchantId };
    const { name, settings } = change(merchant);
    await trx
      .updateTable('merchants')
      .set({ name, settings: JSON.stringify(settings) })
      .where('id', '=', id)
      .execute();
    return { ...merchant, name, settings };
  });
}

/** What of a key may be shown. */
export type ListedKey = {
  id: string;
  kind: 'api' | 'operator';
  name: string;
  scopes: Scope[];
  created_at: Date;
  revoked_at: Date | null;
};

export const listKeys = (db: Kysely<Database>, merchant: string): Promise<ListedKey[]> =>
  db
    .selectFrom('api_keys')
    .select(['id', 'kind', 'name', 'scopes', 'created_at', 'revoked_at'])
    .where('merchant_id', '=', merchant)
    .orderBy('created_at')
    .execute();

/** A key that is revoked stays revoked since then. @returns null if there is no such key */
export async function revokeKey(db: Kysely<Database>, id: string): Promise<ListedKey | null> {
  const row = await db
    .updateTable('api_keys')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
    .where('id', '=', id)
    .returning(['id', 'kind', 'name', 'scopes', 'created_at', 'revoked_at'])
    .executeTakeFirst();
  return row ?? null;
}

export async function listAccounts(db: Kysely<Database>, merchant: string): Promise<ProviderName[]> {
  const rows = await db
    .selectFrom('provider_accounts')
    .select('provider')
    .where('merchant_id', '=', merchant)
    .orderBy('provider')
    .execute();
  return rows.map(({ provider }) => provider);
}
