import { sql, type Kysely } from 'kysely';

/** When the last unit of an item arrived, and when it was delivered anew; epoch milliseconds, as `updated_at`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table order_items add column arrived_at bigint, add column restarted_at bigint`.execute(db);
  // So that a code that was opened again stays open; when the others' last units arrived is not known better.
  await sql`update order_items set restarted_at = updated_at
    where status = 'delivering' and fulfilment in ('pickup', 'digital')`.execute(db);
}
