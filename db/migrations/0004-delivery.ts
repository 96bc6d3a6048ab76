import { sql, type Kysely } from 'kysely';

/** Machines that dispense, and codes for what is picked up. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table order_items
    add column number bigint generated always as identity unique,
    add column to_dispatch boolean not null default false,
    add column arrived_before integer not null default 0 check (arrived_before >= 0),
    add column sends integer not null default 0 check (sends >= 0)`,
  `create table machine_gateways (
    merchant_id text primary key references merchants,
    config jsonb not null)`,
  `create table pickup_codes (
    id bigint primary key generated always as identity,
    order_id text not null unique references orders,
    merchant_id text not null references merchants,
    hash bytea not null,
    code text not null,
    machine_no text,
    live boolean not null)`,
  `create unique index pickup_codes_live on pickup_codes (merchant_id, hash) where live`,
  `create index pickup_codes_by_hash on pickup_codes (merchant_id, hash)`,
  `create table pickup_guesses (
    merchant_id text not null references merchants,
    machine_no text not null,
    wrong_at timestamptz[] not null,
    last_at timestamptz not null,
    primary key (merchant_id, machine_no))`,
];
