import { sql, type Kysely } from 'kysely';

/** How many orders there are of an album in all: adding up its days takes longer with every day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table albums add column orders bigint not null default 0`.execute(db);
  await sql`update albums a set orders = coalesce((select sum(orders) from album_days where album_id = a.id), 0)`.execute(
    db,
  );
}
