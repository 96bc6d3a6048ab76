import { sql, type Kysely } from 'kysely';

/** What the pages need: orders found by their customer, the figures of a day, operators who are signed in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // A keyed hash of the customer's id: the id itself is sealed, and so can't be searched for.
  `alter table orders add column customer_hash bytea`,
  `create index orders_by_customer on orders (merchant_id, customer_hash, number desc) where customer_hash is not null`,
  `create index order_events_of_figures on order_events (at)
    where type in ('order.paid', 'order.expired', 'refund.succeeded')`,
  `create table console_sessions (
    hash bytea primary key,
    key_id text not null references api_keys,
    time_zone text not null,
    expires_at timestamptz not null)`,
  `create index console_sessions_by_expiry on console_sessions (expires_at)`,
];
