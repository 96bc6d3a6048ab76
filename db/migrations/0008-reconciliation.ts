import { sql, type Kysely } from 'kysely';

/** What the providers' statements say, and where our ledger and they don't agree. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table statements (
    merchant_id text not null references merchants,
    provider text not null,
    day date not null,
    lines integer not null,
    read_at timestamptz not null,
    compared_at timestamptz,
    primary key (merchant_id, provider, day))`,
  // The fee stands where the provider tells it: positive is what it kept, negative what it gave back.
  `create table statement_lines (
    merchant_id text not null references merchants,
    provider text not null,
    id text not null,
    day date not null,
    type text not null check (type in ('capture', 'refund')),
    reference text not null,
    out_trade_no text,
    amount bigint not null,
    currency text not null,
    fee bigint not null,
    fee_currency text not null,
    is_settled boolean not null,
    at timestamptz,
    primary key (merchant_id, provider, id))`,
  `create index statement_lines_by_day on statement_lines (merchant_id, provider, day)`,
  `create index statement_lines_by_reference on statement_lines (provider, reference)`,
  `create index statement_lines_by_payment on statement_lines (provider, out_trade_no)`,
  `create index ledger_by_account on ledger (merchant_id, provider, at)`,
  `create index ledger_by_reference on ledger (provider, reference)`,
  `create index ledger_by_payment on ledger (provider, out_trade_no)`,
  `create table findings (
    id text primary key,
    number bigint generated always as identity unique,
    merchant_id text not null references merchants,
    provider text not null,
    type text not null check (type in ('capture', 'refund')),
    reference text not null,
    kind text not null check (kind in ('missing_here', 'missing_there', 'different')),
    out_trade_no text,
    order_id text,
    day date not null,
    ours jsonb not null,
    theirs jsonb not null,
    found_at timestamptz not null,
    closed_at timestamptz,
    closed_by text,
    note text,
    unique (merchant_id, provider, type, reference))`,
  `create index findings_open on findings (merchant_id, number) where closed_at is null`,
  // Every capture, refund and fee. A fee belongs to the order whose money it was taken of, where we know that one.
  `create view ledger_with_fees as
    select merchant_id, provider, order_id, type, reference, out_trade_no, amount, currency,
      (at at time zone case when provider in ('stripe', 'paypal') then 'UTC' else 'Asia/Shanghai' end)::date as day
    from ledger
    union all
    select s.merchant_id, s.provider, l.order_id, 'fee', s.reference, s.out_trade_no, s.fee, s.fee_currency, s.day
    from statement_lines s left join ledger l
      on l.provider = s.provider and l.type = s.type and l.reference = s.reference
    where s.fee <> 0`,
];
