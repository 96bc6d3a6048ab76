import type { Kysely } from 'kysely';
import { listMerchants } from '../db/administration.ts';
import type { Merchant } from '../db/keys.ts';
import { findOrder, type StoredOrder } from '../db/orders.ts';
import type { Database } from '../db/schema.ts';
import { UsageError } from './output.ts';

/** @throws UsageError where there is none by this id */
export async function merchantNamed(db: Kysely<Database>, id: string): Promise<Merchant> {
  const merchant = (await listMerchants(db)).find((one) => one.id === id);
  if (!merchant) throw noMerchant(id);
  return merchant;
}

export const noMerchant = (id: string): UsageError =>
  new UsageError(`There is no merchant ${id}; see \`merchant list\`.`);

/** @throws UsageError where there is none by this number or id */
export async function orderNamed(db: Kysely<Database>, named: string): Promise<StoredOrder> {
  const id = /^\d{1,15}$/.test(named)
    ? (await db.selectFrom('orders').select('id').where('number', '=', Number(named)).executeTakeFirst())?.id
    : named;
  const stored = id === undefined ? null : await findOrder(db, id, null);
  if (!stored) throw new UsageError(`There is no order ${named}: give its number, or its id (ord_…).`);
  return stored;
}
