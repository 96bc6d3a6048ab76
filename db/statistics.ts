import { sql, type Kysely } from 'kysely';
import type { PaymentMethod } from '../domain/method.ts';
import type { Database } from './schema.ts';

/** From inclusive, to exclusive. */
export type Period = { merchant: string; from: Date; to: Date };

/** Amounts in minor units. `method`: null where nothing had to be paid. */
export type Statistics = {
  orders: number;
  expired: number;
  paid: { currency: string; method: PaymentMethod | null; count: number; amount: number }[];
  refunded: { currency: string; count: number; amount: number }[];
  /** At the moment, whatever the time asked about. */
  waiting: { refunds: number; attention: number };
};

/**
 * What happened to a merchant's orders in a time; refunds of the orders' own money only, as in `amounts`. Test orders count
 * as created only: no money moves.
 */
export async function countStatistics(db: Kysely<Database>, { merchant, from, to }: Period): Promise<Statistics> {
  const { rows } = await sql<Statistics>`
    with happened as materialized (
      select o.id, o.currency, o.total, e.type, e.data
      from order_events e join orders o on o.id = e.order_id
      where e.type in ('order.paid', 'order.expired', 'refund.succeeded') and e.at >= ${from} and e.at < ${to}
        and o.merchant_id = ${merchant} and not (o.book -> 'test')::boolean),
    paid as (
      select h.currency, p.method, count(*) as count, sum(h.total)::bigint as amount
      from happened h left join payments p on p.id = h.data ->> 'payment_id'
      where h.type = 'order.paid' group by h.currency, p.method order by amount desc, count desc),
    refunded as (
      select h.currency, count(*) as count, sum(r.amount)::bigint as amount
      from happened h join refunds r on r.id = h.data ->> 'refund_id'
      where h.type = 'refund.succeeded' and r.origin in ('customer', 'merchant', 'cancellation', 'delivery_failure')
      group by h.currency order by amount desc)
    select
      (select count(*) from orders
        where merchant_id = ${merchant} and created_at >= ${from} and created_at < ${to}) as orders,
      (select count(*) from happened where type = 'order.expired') as expired,
      coalesce((select json_agg(paid) from paid), '[]') as paid,
      coalesce((select json_agg(refunded) from refunded), '[]') as refunded,
      json_build_object(
        'refunds', (select count(*) from refunds where merchant_id = ${merchant} and status = 'requested'),
        'attention', (select count(*) from orders where merchant_id = ${merchant} and attention)) as waiting`.execute(
    db,
  );
  return rows[0]!;
}
