import { sql, type Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** What operators watch. */
export type Figures = {
  ordersInAttention: number;
  refundsWaiting: number;
  noticesWaiting: number;
  ordersNotStarted: number;
  notificationsWaiting: number;
  endpointsDisabled: number;
};

/** Counted over partial or leading indexes: cheap however many orders there are. */
export async function countFigures(db: Kysely<Database>): Promise<Figures> {
  const { rows } = await sql<Figures>`
    select (select count(*) from orders where attention) as "ordersInAttention",
      (select count(*) from merchants m join refunds r on r.merchant_id = m.id and r.status = 'requested') as "refundsWaiting",
      (select count(*) from notices where processed_at is null) as "noticesWaiting",
      (select count(*) from orders where run_id is null) as "ordersNotStarted",
      (select count(*) from notifications where status = 'pending') as "notificationsWaiting",
      (select count(*) from webhook_endpoints where status = 'disabled' and deleted_at is null) as "endpointsDisabled"`.execute(
    db,
  );
  return rows[0]!;
}
