import { sql, type Kysely } from 'kysely';
import type { OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

/**
 * A wish whose outcome nobody learned leaves its order in doubt. It may have been granted and saved by a task that never
 * came to its end: the server keeps an update in memory only, until a task that took it is complete. Then what is stored
 * has more than the order's workflow knows.
 */
export async function doubt(db: Kysely<Database>, id: OrderId): Promise<void> {
  await db
    .updateTable('orders')
    .set({ doubted_at: sql`clock_timestamp()` })
    .where('id', '=', id)
    .execute();
}

export type Doubt = { id: OrderId; since: Date };

/** The oldest first. */
export async function findDoubts(db: Kysely<Database>, limit: number): Promise<Doubt[]> {
  const rows = await db
    .selectFrom('orders')
    .select(['id', 'doubted_at'])
    .where('doubted_at', 'is not', null)
    .orderBy('doubted_at')
    .limit(limit)
    .execute();
  return rows.map(({ id, doubted_at }) => ({ id: id as OrderId, since: doubted_at! }));
}

/** By its last save. */
export type Unproven = { id: OrderId; run: string | null; task: number; version: number };

/**
 * A save that granted a wish may be all that is left of it: should everything end at once, nobody is there to doubt. So such an
 * order is unproven until a later task saves that knows of it, or its workflow is seen to know the version. The oldest
 * first; what is taken comes up again after as long.
 */
export async function takeUnproven(db: Kysely<Database>, before: Date, limit: number): Promise<Unproven[]> {
  const { rows } = await sql<Unproven>`
    update orders set unproven_since = clock_timestamp() where id in (
      select id from orders where unproven_since < ${before} order by unproven_since limit ${limit}
      for update skip locked)
    returning id, saved_run as run, task, version`.execute(db);
  return rows;
}

/** Its workflow knows that version. A later save may have to be proven itself. */
export async function proven(db: Kysely<Database>, { id, version }: Pick<Unproven, 'id' | 'version'>): Promise<void> {
  await db
    .updateTable('orders')
    .set({ unproven_since: null })
    .where('id', '=', id)
    .where('version', '=', version)
    .execute();
}

/** Its workflow is told to look at what is stored. What has come into doubt since then stays so. */
export async function settleDoubt(db: Kysely<Database>, { id, since }: Doubt): Promise<void> {
  await db
    .updateTable('orders')
    .set({ doubted_at: null })
    .where('id', '=', id)
    .where(sql`date_trunc('milliseconds', doubted_at)`, '<=', since) // As far as `since` was read.
    .execute();
}
