import { sql, type Kysely } from 'kysely';
import type { MerchantId } from '../domain/ids.ts';
import type { Merchant } from './keys.ts';
import { hashOfKey } from './merchants.ts';
import type { Database } from './schema.ts';

/** Clients of the vending machines' API. `id` is the Appid. */
export type Application = { id: string; name: string; machines: string[]; secretHash: Buffer; merchant: Merchant };

/** @returns null if there is none, or it was revoked */
export async function findApplication(db: Kysely<Database>, id: string): Promise<Application | null> {
  const row = await db
    .selectFrom('applications as a')
    .innerJoin('merchants as m', 'm.id', 'a.merchant_id')
    .select([
      'a.id',
      'a.name',
      'a.machines',
      'a.secret_hash',
      'm.id as merchant',
      'm.name as merchant_name',
      'settings',
    ])
    .where('a.id', '=', id)
    .where('a.revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  const { name, machines, secret_hash: secretHash, merchant, merchant_name, settings } = row;
  return { id, name, machines, secretHash, merchant: { id: merchant as MerchantId, name: merchant_name, settings } };
}

export type NewApplication = { id: string; merchant: string; name: string; secret: string; machines: string[] };

/** One that is there already is left as it is. */
export async function putApplication(db: Kysely<Database>, application: NewApplication): Promise<void> {
  const { id, merchant, name, secret, machines } = application;
  await db
    .insertInto('applications')
    .values({ id, merchant_id: merchant, name, secret_hash: hashOfKey(secret), machines, revoked_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What of an application may be shown. */
export type ListedApplication = {
  id: string;
  name: string;
  machines: string[];
  created_at: Date;
  revoked_at: Date | null;
};
const LISTED = ['id', 'name', 'machines', 'created_at', 'revoked_at'] as const;

export const listApplications = (db: Kysely<Database>, merchant: string): Promise<ListedApplication[]> =>
  db.selectFrom('applications').select(LISTED).where('merchant_id', '=', merchant).orderBy('created_at').execute();

/** What people change of an application. Once revoked it stays so. */
export type ApplicationChange = { secret: string } | { machines: string[] } | { revoked: true };

/** @returns null if there is none */
export async function changeApplication(
  db: Kysely<Database>,
  id: string,
  change: ApplicationChange,
): Promise<ListedApplication | null> {
  const row = await db
    .updateTable('applications')
    .set(columnsOf(change))
    .where('id', '=', id)
    .returning(LISTED)
    .executeTakeFirst();
  return row ?? null;
}

function columnsOf(change: ApplicationChange) {
  if ('secret' in change) return { secret_hash: hashOfKey(change.secret) };
  if ('machines' in change) return { machines: change.machines };
  return { revoked_at: sql<Date>`coalesce(revoked_at, now())` };
}
