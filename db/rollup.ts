import { sql, type Kysely } from 'kysely';
import type { Database } from './schema.ts';

const BATCH = 1000;

/**
 * Brings the albums' sums up to date: paid less refunded. Takes up only orders whose money the sums do not have, so that
 * it costs what has changed and not what there is. Several at once wait for each other.
 * @param now everything that was saved by then is in
 */
export async function rollUpSums(db: Kysely<Database>, now: Date): Promise<void> {
  while ((await rollUpBatch(db)) === BATCH);
  await db
    .insertInto('rollups')
    .values({ name: 'album_sums', until: now })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ until: sql`greatest(rollups.until, excluded.until)` }),
    )
    .execute();
}

async function rollUpBatch(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ orders: number }>`
    with changed as (
      select id, paid - refunded as net, rolled_up from orders
      where channel = 'course' and paid - refunded <> rolled_up order by number limit ${BATCH} for update),
    marked as (
      update orders set rolled_up = changed.net from changed where orders.id = changed.id),
    summed as (
      insert into album_sums (album_id, total)
      select c.album_id, sum(changed.net - changed.rolled_up) from changed join course_orders c on c.order_id = changed.id
      group by c.album_id order by c.album_id
      on conflict (album_id) do update set total = album_sums.total + excluded.total)
    select count(*) as orders from changed`.execute(db);
  return rows[0]!.orders;
}

/** Fen; `until`: when the sums were rolled up. */
export type AlbumSum = { id: number; title: string; total: number; until: Date };

/** What a teacher's albums earned, or all of a merchant; those with sales only, the newest album first. */
export function listSums(db: Kysely<Database>, whose: { teacher: number } | { merchant: string }): Promise<AlbumSum[]> {
  return db
    .selectFrom('album_sums as s')
    .innerJoin('albums as a', 'a.id', 's.album_id')
    .innerJoin('rollups as r', (join) => join.on('r.name', '=', 'album_sums'))
    .select(['a.id', 'a.title', 's.total', 'r.until'])
    .$if('teacher' in whose, (query) => query.where('a.teacher_id', '=', (whose as { teacher: number }).teacher))
    .$if('merchant' in whose, (query) => query.where('a.merchant_id', '=', (whose as { merchant: string }).merchant))
    .orderBy('a.id', 'desc')
    .execute();
}
