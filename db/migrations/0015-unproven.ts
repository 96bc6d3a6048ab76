import { sql, type Kysely } from 'kysely';

/** Orders whose last save granted a wish, until their workflow is seen to know of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table orders add column unproven_since timestamptz`.execute(db);
  await sql`create index orders_unproven on orders (unproven_since) where unproven_since is not null`.execute(db);
}
