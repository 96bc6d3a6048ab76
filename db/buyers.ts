import type { Kysely } from 'kysely';
import type { Buyer } from '../domain/method.ts';
import type { Database } from './schema.ts';
import type { Sealer } from './sealed.ts';

const contextOf = (id: string): string => `buyers.sealed/${id}`;

/** Keeps what a payment's provider is to be told about its buyer; `id` then stands for it in the order. */
export async function keepBuyer(
  db: Kysely<Database>,
  sealer: Sealer,
  { id, order, buyer }: { id: string; order: string; buyer: Buyer },
): Promise<void> {
  const sealed = sealer.seal(buyer, contextOf(id));
  await db.insertInto('buyers').values({ id, order_id: order, sealed }).execute();
}

/** @returns nothing known for no id, and after the order's personal data was erased */
export async function findBuyer(db: Kysely<Database>, sealer: Sealer, id: string | undefined): Promise<Buyer> {
  if (id === undefined) return {};
  const row = await db.selectFrom('buyers').select('sealed').where('id', '=', id).executeTakeFirst();
  return row ? (sealer.open(row.sealed, contextOf(id)) as Buyer) : {};
}
