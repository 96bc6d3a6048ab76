import type { Kysely } from 'kysely';
import type { MerchantId } from '../domain/ids.ts';
import type { Database, MerchantSettings, Scope } from './schema.ts';

export type Merchant = { id: MerchantId; name: string; settings: MerchantSettings };
/** A key that is in force, and whose it is. */
export type ApiKey = { id: string; kind: 'api' | 'operator'; name: string; scopes: Scope[]; merchant: Merchant };

/** @param hash see `hashOfKey` in merchants.ts. @returns null if there is no such key, or it was revoked */
export const findKey = (db: Kysely<Database>, hash: Buffer): Promise<ApiKey | null> => findBy(db, { hash });

export const findKeyById = (db: Kysely<Database>, id: string): Promise<ApiKey | null> => findBy(db, { id });

async function findBy(db: Kysely<Database>, by: { hash: Buffer } | { id: string }): Promise<ApiKey | null> {
  const row = await db
    .selectFrom('api_keys as k')
    .innerJoin('merchants as m', 'm.id', 'k.merchant_id')
    .select(['k.id', 'k.kind', 'k.name', 'k.scopes', 'm.id as merchant', 'm.name as merchant_name', 'm.settings'])
    .where((eb) => ('hash' in by ? eb('k.hash', '=', by.hash) : eb('k.id', '=', by.id)))
    .where('k.revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  const { id, kind, name, scopes, merchant, merchant_name, settings } = row;
  return { id, kind, name, scopes, merchant: { id: merchant as MerchantId, name: merchant_name, settings } };
}

/** The merchant that an order belongs to. */
export async function findMerchantOf(db: Kysely<Database>, order: string): Promise<Merchant | null> {
  const row = await db
    .selectFrom('orders as o')
    .innerJoin('merchants as m', 'm.id', 'o.merchant_id')
    .select(['m.id', 'm.name', 'm.settings'])
    .where('o.id', '=', order)
    .executeTakeFirst();
  return row ? { ...row, id: row.id as MerchantId } : null;
}
