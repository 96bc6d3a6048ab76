import { sql, type Kysely } from 'kysely';
import type { OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

/** Messages to merchants that a repeated workflow task may still take back. */

/** An order's entries up to `seq`. */
export type Unsettled = {
  order: OrderId;
  merchant: string;
  seq: number;
  /** The order's last one. */
  save: { run: string | null; task: number; version: number };
  /** Whether its last save granted a wish that may be lost: see doubts.ts. */
  isUnproven: boolean;
};

/**
 * Those that are due at this endpoint. They are due again after a second, and later and later while nothing changes. An
 * order in doubt may know less than is stored: it is none of them.
 */
export async function takeUnsettled(
  db: Kysely<Database>,
  endpoint: string,
  at: Date,
  limit: number,
): Promise<Unsettled[]> {
  const { rows } = await sql<Unsettled>`
    with due as (
      select order_id from notifications
      where endpoint_id = ${endpoint} and status = 'pending' and next_attempt_at <= ${at} and settled_at is null
      group by order_id order by min(next_attempt_at) limit ${limit}),
    taken as (
      update notifications n
      set next_attempt_at = ${at}::timestamptz + least(interval '30 s', greatest(interval '1 s', (${at} - n.created_at) / 4))
      from due where n.order_id = due.order_id and n.endpoint_id = ${endpoint} and n.settled_at is null
      returning n.order_id, n.merchant_id, n.seq)
    select t.order_id as "order", t.merchant_id as merchant, max(t.seq) as seq,
      json_build_object('run', o.saved_run, 'task', o.task, 'version', o.version) as save,
      o.unproven_since is not null as "isUnproven"
    from taken t join orders o on o.id = t.order_id where o.doubted_at is null
    group by t.order_id, t.merchant_id, o.id`.execute(db);
  return rows;
}

/** This endpoint may be told: the workflow tasks that saved them are complete. */
export async function settle(
  db: Kysely<Database>,
  endpoint: string,
  complete: readonly Unsettled[],
  at: Date,
): Promise<void> {
  if (complete.length === 0) return;
  const orders = complete.map(({ order }) => order);
  const seqs = complete.map(({ seq }) => seq);
  await sql`
    update notifications n set settled_at = now(), next_attempt_at = ${at}
    from unnest(${orders}::text[], ${seqs}::int[]) as c(order_id, seq)
    where n.order_id = c.order_id and n.endpoint_id = ${endpoint} and n.seq <= c.seq and n.settled_at is null`.execute(
    db,
  );
}
