import { sql, type Kysely } from 'kysely';

/** Orders of which somebody wished something and never learned whether it was granted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table orders add column doubted_at timestamptz`.execute(db);
  await sql`create index orders_in_doubt on orders (doubted_at) where doubted_at is not null`.execute(db);
}
