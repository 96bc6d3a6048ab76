import { sql, type Kysely } from 'kysely';

/** Telling merchants: secrets of their endpoints, and each message to each endpoint with its attempts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table webhook_endpoints
    add column number bigint generated always as identity unique,
    add column secrets text,
    add column paused_until timestamptz,
    add column deleted_at timestamptz`,
  `alter table outbox add column cause text`,
  `create table notifications (
    number bigint generated always as identity unique,
    id text not null,
    order_id text not null,
    seq integer not null,
    endpoint_id text not null references webhook_endpoints,
    merchant_id text not null,
    type text not null,
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
    tries integer not null default 0,
    resent boolean not null default false,
    settled_at timestamptz not null,
    next_attempt_at timestamptz not null,
    body text,
    last_error text,
    delivered_at timestamptz,
    failed_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (order_id, seq, endpoint_id),
    foreign key (order_id, seq) references outbox on delete cascade)`,
  `create index notifications_by_id on notifications (id)`,
  `create index notifications_by_merchant on notifications (merchant_id, number)`,
  `create index notifications_due on notifications (endpoint_id, next_attempt_at) where status = 'pending'`,
  `create index notifications_failed on notifications (merchant_id, failed_at) where status = 'failed'`,
  `create table notification_attempts (
    id bigint generated always as identity primary key,
    notification bigint not null references notifications (number) on delete cascade,
    at timestamptz not null,
    status integer,
    duration_ms integer,
    error text)`,
  `create index notification_attempts_by_notification on notification_attempts (notification)`,
];
