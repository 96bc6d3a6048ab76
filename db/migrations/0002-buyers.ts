import { sql, type Kysely } from 'kysely';

/** What a provider has to be told about whoever opens a payment; sealed, because it is personal. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table buyers (
    id text primary key,
    order_id text not null references orders,
    sealed text not null,
    created_at timestamptz not null default now())`.execute(db);
  await sql`create index buyers_by_order on buyers (order_id)`.execute(db);
}
