import { sql, type Kysely } from 'kysely';

/** Who calls the vending machines' API, and for which machines. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table applications (
    id text primary key,
    merchant_id text not null references merchants,
    name text not null,
    secret_hash bytea not null,
    machines text[] not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz)`.execute(db);
}
