/**
 * Fills a database with orders that have ended in the usual ways, by SQL through the real schema. Every second one is of
 * the course shop.
 */
import { sql, type Kysely } from 'kysely';
import { putMerchant } from '../db/merchants.ts';
import type { Database } from '../db/schema.ts';
import { goOn, type Progress } from '../start/failure.ts';
import { KEY, MERCHANT, stories } from './stories.ts';

/** So many a day, up to now: a larger database goes further back. */
export const ORDERS_A_DAY = 1_000;
const APART_MS = 86_400_000 / ORDERS_A_DAY;
const BATCH = 10_000;
const ALBUMS = 20;
/** Of each ten orders, five are one student's. */
const ORDERS_PER_STUDENT = 10;
/** Numbers of course users: the teacher of all albums, and the first student. */
export const TEACHER = 1;
export const STUDENT = 2;

/** @param db as superuser: rows that are known to fit are not looked up again */
export async function fill(
  db: Kysely<Database>,
  orders: number,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<void> {
  await putMerchant(db, {
    id: MERCHANT,
    name: 'Demo',
    settings: { four_eyes: true, on_delivery_failure: null, methods: [] },
  });
  await putPeopleAndAlbums(db, Math.ceil(orders / ORDERS_PER_STUDENT));
  const now = Date.now();
  const began = now - orders * APART_MS;
  const templates = JSON.stringify(stories(now).map(({ rows, ...part }) => ({ ...part, rows: JSON.stringify(rows) })));
  for (let first = 0; first < orders; first += BATCH) {
    goOn(signal);
    await db.connection().execute(async (one) => {
      await sql`set session_replication_role = replica`.execute(one);
      await insert(one, { templates, now, began, first, last: Math.min(first + BATCH, orders) - 1 });
    });
    if ((first + BATCH) % (10 * BATCH) === 0) progress(`${first + BATCH} of ${orders} orders`);
  }
  await countCourses(db);
  await sql`vacuum analyze`.execute(db);
}

async function putPeopleAndAlbums(db: Kysely<Database>, students: number): Promise<void> {
  await sql`
    insert into course_users (id, merchant_id, name, role, token_hash)
    select n, ${MERCHANT}, 'Demo', case n when ${TEACHER} then 'teacher' else 'student' end, sha256(n::text::bytea)
    from generate_series(${TEACHER}::int, ${STUDENT + students}::int) n`.execute(db);
  await sql`
    insert into albums (id, merchant_id, teacher_id, title, price)
    select n, ${MERCHANT}, ${TEACHER}, 'Album', 3000 from generate_series(1, ${ALBUMS}::int) n`.execute(db);
}

/** What the creation of course orders and the roll-up have counted by then. */
async function countCourses(db: Kysely<Database>): Promise<void> {
  await sql`
    insert into album_days (album_id, day, orders)
    select album_id, (created_at at time zone 'Asia/Shanghai')::date, count(*) from course_orders group by 1, 2`.execute(
    db,
  );
  await sql`
    update albums a set orders = (select sum(orders) from album_days where album_id = a.id)`.execute(db);
  await sql`
    insert into album_sums (album_id, total)
    select c.album_id, sum(o.rolled_up) from course_orders c join orders o on o.id = c.order_id group by 1`.execute(db);
  await db.insertInto('rollups').values({ name: 'album_sums', until: new Date() }).execute();
}

type Batch = { templates: string; now: number; began: number; first: number; last: number };

/** Every row bears its order's own part of the ids, and is as old as its order. */
const insert = (db: Kysely<Database>, { templates, now, began, first, last }: Batch) =>
  sql`
  with made as materialized (
    select n, ${sql.lit('ord_')} || lpad(n::text, 20, '0') as id, lpad(n::text, 20, '0') as key,
      case n % 2 when 0 then 'api' else 'course' end as channel,
      to_timestamp((${began}::float8 + n * ${APART_MS}::float8) / 1000) as created,
      replace(t.rows, ${KEY}, lpad(n::text, 20, '0'))::jsonb as d
    from generate_series(${first}::int, ${last}::int) n
    join jsonb_to_recordset(${templates}::jsonb) as t(first int, "end" int, rows text)
      on n % 100 >= t.first and n % 100 < t."end"),
  placed as (
    insert into orders (id, merchant_id, merchant_order_no, channel, currency, status, refund_status, attention, total,
      paid, held, refunded, rolled_up, version, book, details, run_id, created_at, expires_at)
    select id, ${MERCHANT}, 'A-' || n, channel, 'CNY', o.status, o.refund_status, o.attention, o.total, o.paid, o.held,
      o.refunded, case channel when 'course' then o.paid - o.refunded else 0 end, o.version, d -> 'book',
      ${DETAILS}::jsonb, 'run', created, created + interval '15 minutes'
    from made, jsonb_to_record(d -> 'columns') as o(status text, refund_status text, attention boolean, total bigint,
      paid bigint, held bigint, refunded bigint, version int) order by n
    returning id, number, channel, created_at),
  courses as (
    insert into course_orders (order_id, number, album_id, teacher_id, student_id, created_at)
    select id, number, 1 + number / 2 % ${ALBUMS}, ${TEACHER}, ${STUDENT} + number / ${ORDERS_PER_STUDENT}, created_at
    from placed where channel = 'course'),
  items as (
    insert into order_items (order_id, position, id, sku, name, quantity, unit_amount, amount, fulfilment, on_failure,
      status, arrived, withdrawn, failure_decided, tracking, updated_at)
    select made.id, i.position, i.id, 'tea-01', 'Green tea', 2, 1500, i.amount, 'shipment', 'ask', i.status, i.arrived,
      i.withdrawn, i.failure_decided, i.tracking, i.updated_at
    from made, jsonb_to_recordset(d -> 'items') as i(position int, id text, amount bigint, status text, arrived int,
      withdrawn int, failure_decided boolean, tracking jsonb, updated_at bigint)),
  events as (
    insert into order_events (order_id, seq, id, type, at, actor, data)
    select made.id, e.seq, e.id, e.type, created + (e.at - to_timestamp(${now}::float8 / 1000)), e.actor, e.data
    from made, jsonb_to_recordset(d -> 'events') as e(seq int, id text, type text, at timestamptz, actor jsonb,
      data jsonb)),
  payments as (
    insert into payments (id, order_id, merchant_id, provider, method, out_trade_no, status, amount)
    select p.* from made, jsonb_to_recordset(d -> 'payments') as p(id text, order_id text, merchant_id text,
      provider text, method text, out_trade_no text, status text, amount bigint)),
  refunds as (
    insert into refunds (id, order_id, merchant_id, out_refund_no, status, origin, amount, body)
    select r.* from made, jsonb_to_recordset(d -> 'refunds') as r(id text, order_id text, merchant_id text,
      out_refund_no text, status text, origin text, amount bigint, body jsonb))
  insert into ledger (order_id, type, reference, merchant_id, provider, out_trade_no, amount, currency, at)
  select l.order_id, l.type, l.reference, l.merchant_id, l.provider, l.out_trade_no, l.amount, l.currency, created
  from made, jsonb_to_recordset(d -> 'ledger') as l(order_id text, type text, reference text, merchant_id text,
    provider text, out_trade_no text, amount bigint, currency text)`.execute(db);

const DETAILS = JSON.stringify({
  confirm: true,
  expires_in: 900,
  delivery_timeout: null,
  auto_receipt_after: 1_209_600,
  refund_window: 15_552_000,
  return_url: null,
  metadata: null,
});
