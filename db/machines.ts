import { sql, type Kysely } from 'kysely';
import type { ItemId, OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

/** @param config public parts as they are, secrets only as `file:…` or `env:…` */
export async function putMachineGateway(
  db: Kysely<Database>,
  merchant: string,
  config: Record<string, unknown>,
): Promise<void> {
  const row = { merchant_id: merchant, config: JSON.stringify(config) };
  await db
    .insertInto('machine_gateways')
    .values(row)
    .onConflict((conflict) => conflict.column('merchant_id').doUpdateSet({ config: row.config }))
    .execute();
}

/** Null if the merchant has none. */
export async function findMachineGateway(db: Kysely<Database>, merchant: string): Promise<unknown> {
  const row = await db
    .selectFrom('machine_gateways')
    .select('config')
    .where('merchant_id', '=', merchant)
    .executeTakeFirst();
  return row?.config ?? null;
}

/** What a machine needs to know of an item. `record`: which of its order's items for that machine, counted from 1. */
export type MachineRecord = { machineNo: string; record: number; sku: string | null; name: string };

/** @throws if there is no such item, or it is for no machine */
export async function findRecord(db: Kysely<Database>, item: ItemId): Promise<MachineRecord> {
  const row = await db
    .selectFrom('order_items as i')
    .select(['machine_no', 'sku', 'name'])
    .select(
      sql<number>`(select count(*) from order_items o where o.order_id = i.order_id and o.fulfilment = 'machine'
        and o.machine_no = i.machine_no and o.position <= i.position)`.as('record'),
    )
    .where('id', '=', item)
    .executeTakeFirst();
  if (!row || row.machine_no === null) throw new Error(`item ${item} is for no machine`);
  const { machine_no: machineNo, record, sku, name } = row;
  return { machineNo, record, sku, name };
}

/** The machine of a merchant's machine item; null if the merchant has no such item. */
export async function findMachineOf(
  db: Kysely<Database>,
  merchant: string,
  { order, item }: { order: OrderId; item: ItemId },
): Promise<string | null> {
  const row = await db
    .selectFrom('order_items as i')
    .innerJoin('orders as o', 'o.id', 'i.order_id')
    .select('i.machine_no')
    .where('i.id', '=', item)
    .where('i.fulfilment', '=', 'machine')
    .where('o.id', '=', order)
    .where('o.merchant_id', '=', merchant)
    .executeTakeFirst();
  return row?.machine_no ?? null;
}
