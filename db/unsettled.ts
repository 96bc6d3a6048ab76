import { sql, type Kysely } from 'kysely';
import type { OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

/** Messages to merchants that a repeated workflow task may still take back. */

const ASKED_AGAIN_AFTER_MS = 1_000;

/** An order's entries up to this one. */
export type Unsettled = { order: OrderId; merchant: string; seq: number };

/** Those that are due at this endpoint, which are now due a moment later. An order in doubt may know less than is stored. */
export async function takeUnsettled(
  db: Kysely<Database>,
  endpoint: string,
  at: Date,
  limit: number,
): Promise<Unsettled[]> {
  const { rows } = await sql<Unsettled>`
    with due as (
      select number from notifications
      where endpoint_id = ${endpoint} and status = 'pending' and next_attempt_at <= ${at} and settled_at is null
      order by next_attempt_at, number limit ${limit} for update skip locked),
    taken as (
      update notifications n set next_attempt_at = ${new Date(at.getTime() + ASKED_AGAIN_AFTER_MS)}
      from due where n.number = due.number returning n.order_id, n.merchant_id, n.seq)
    select order_id as "order", merchant_id as merchant, max(seq) as seq from taken
    where exists (select from orders o where o.id = order_id and o.doubted_at is null)
    group by order_id, merchant_id`.execute(db);
  return rows;
}

/** They may be told: the workflow tasks that saved them are complete. */
export async function settle(db: Kysely<Database>, complete: readonly Unsettled[], at: Date): Promise<void> {
  if (complete.length === 0) return;
  const orders = complete.map(({ order }) => order);
  const seqs = complete.map(({ seq }) => seq);
  await sql`
    update notifications n set settled_at = now(), next_attempt_at = ${at}
    from unnest(${orders}::text[], ${seqs}::int[]) as c(order_id, seq)
    where n.order_id = c.order_id and n.seq <= c.seq and n.settled_at is null`.execute(db);
}
