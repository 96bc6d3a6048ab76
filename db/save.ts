import { sql, type Kysely } from 'kysely';
import type { OrderEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import { isOpened, type Order } from '../domain/order.ts';
import { codeIsLive, hasCode } from '../domain/pickup.ts';
import { endpointsTold, outboxRows, toldBySave } from './outbox.ts';
import { bookOf, eventRows, itemColumns, ledgerRows, orderColumns, paymentRows, refundRows } from './rows.ts';
import type { Database } from './schema.ts';

/** The channel on which every save is told: `{order id} {version}`. */
export const SAVED_CHANNEL = 'order_saved';

/**
 * What a workflow task did to its order. A task can fail after its save and be repeated with other messages, so a
 * save names the run, how the order stood when the task began (`before`: its version is the base) and how long the
 * history was then (`task`).
 */
export type Save = {
  run: string;
  task: number;
  before: Order;
  /** Everything that happened since `before`. */
  events: readonly OrderEvent[];
  /** Notices that have been taken in. */
  notices: readonly string[];
  /** The wishes among what led to the events, by the ids of their updates: see doubts.ts. */
  wishes: readonly string[];
};

/**
 * saved: all is in; older: a later task of the same run has saved already, nothing was changed;
 * conflict: what is stored has more than this run knows, nothing was changed. Another run has gone on with this order (an
 * operator's reset), or a lost task had granted a wish, or begun or opened an attempt: somebody may have seen it.
 */
export type SaveOutcome = 'saved' | 'older' | 'conflict';
/** `endpoints`: those that there is something new for. */
export type Saved = { outcome: SaveOutcome; endpoints: string[] };

/**
 * Writes the order's rows, timeline, ledger and outbox in one statement. Whatever else a failed task had written beyond
 * the base is replaced in every table; only rows that differ are touched.
 */
export async function saveOrder(db: Kysely<Database>, save: Save): Promise<Saved> {
  const { before, run } = save;
  const order = save.events.reduce(evolve, before);
  const { rows } = await sql<{ saved: boolean; older: boolean; endpoints: string[] }>`
    with doc as materialized (select ${JSON.stringify(documentOf(order, save))}::jsonb as d),
      ${guardedOrder(order, save)}, ${ITEMS}, ${pickupCode(order)}, ${PAYMENTS}, ${REFUNDS}, ${LEDGER},
      ${timeline(order.seq)}, ${toldBySave(before.seq, order.seq)}, ${noticesTaken(save.notices)}
    select saved.id is not null as saved, ${endpointsTold} as endpoints,
      o.saved_run = ${run} and (o.base, o.task) > ${baseAndTask(save)} as older,
      case when saved.id is not null then pg_notify(${SAVED_CHANNEL}, ${`${order.id} ${order.version}`}) end
    from orders o left join saved on saved.id = o.id where o.id = ${order.id}`.execute(db);
  const row = rows[0];
  if (!row) throw new Error(`order ${order.id} has no row: it was deleted from the database`);
  if (row.saved) return { outcome: 'saved', endpoints: row.endpoints };
  return { outcome: row.older ? 'older' : 'conflict', endpoints: [] };
}

const baseAndTask = ({ before, task }: Save) => sql`(${before.version}::int, ${task}::int)`;

/**
 * A run that saved before goes on from its own base; another one only from exactly what is stored. Neither forgets an
 * attempt, nor that one was opened; nor wishes that were granted and not proven (doubts.ts). Where those come again, their task
 * is repeated, and nothing is forgotten.
 */
function guardedOrder(order: Order, save: Save) {
  const { before, run, task } = save;
  const wishes = sql`${[...save.wishes]}::text[]`;
  const columns = orderColumns(order);
  const attempts = order.payments.flatMap((payment) => {
    const attempt = `${payment.id} ${payment.startedAt}`;
    return isOpened(payment) ? [attempt, `${attempt} opened`] : [attempt];
  });
  return sql`saved as (
    update orders set
      status = ${columns.status}, refund_status = ${columns.refund_status}, attention = ${columns.attention},
      paid = ${columns.paid}, held = ${columns.held}, refunded = ${columns.refunded}, version = ${columns.version},
      book = (select d -> 'book' from doc), base = ${before.version}, task = ${task}, saved_run = ${run}, run_id = ${run},
      unproven_since = case when cardinality(${wishes}) > 0 then clock_timestamp() end, unproven_wishes = nullif(${wishes}, '{}')
    where id = ${order.id} and case when saved_run = ${run}
      then (base, task) <= ${baseAndTask(save)} else version = ${before.version} end
      and not exists (select from jsonb_array_elements(book -> 'payments') p
        where concat_ws(' ', p ->> 'id', p ->> 'startedAt',
          case when p ->> 'action' is not null or p ->> 'withoutAction' is not null then 'opened' end)
          <> all(${attempts}::text[]))
      and (unproven_since is null or version = ${before.version} or unproven_wishes <@ ${wishes})
    returning id)`;
}

const ITEMS = sql`items as (
  update order_items i set status = n.status, arrived = n.arrived, withdrawn = n.withdrawn,
    failure_decided = n.failure_decided, tracking = nullif(n.tracking, 'null'), updated_at = n.updated_at,
    arrived_at = n.arrived_at, restarted_at = n.restarted_at, to_dispatch = n.to_dispatch,
    arrived_before = n.arrived_before, sends = n.sends
  from saved, doc, jsonb_to_recordset(d -> 'items') as n(position int, status text, arrived int, withdrawn int,
    failure_decided boolean, tracking jsonb, updated_at bigint, arrived_at bigint, restarted_at bigint,
    to_dispatch boolean, arrived_before int, sends int)
  where i.order_id = saved.id and i.position = n.position
    and (i.status, i.arrived, i.withdrawn, i.failure_decided, i.tracking, i.updated_at, i.arrived_at, i.restarted_at,
        i.to_dispatch, i.arrived_before, i.sends)
      is distinct from (n.status, n.arrived, n.withdrawn, n.failure_decided, nullif(n.tracking, 'null'), n.updated_at,
        n.arrived_at, n.restarted_at, n.to_dispatch, n.arrived_before, n.sends))`;

/** Nothing to write for orders without pick-up items. */
const pickupCode = (order: Order) =>
  hasCode(order)
    ? sql`code as (
  update pickup_codes c set live = ${codeIsLive(order)} from saved
    where c.order_id = saved.id and live <> ${codeIsLive(order)})`
    : sql`code as (select)`;

const PAYMENTS = sql`payments_in as (
  insert into payments (id, order_id, merchant_id, provider, method, out_trade_no, status, amount)
  select n.* from saved, doc, jsonb_to_recordset(d -> 'payments') as n(id text, order_id text, merchant_id text,
    provider text, method text, out_trade_no text, status text, amount bigint)
  on conflict (id) do update set provider = excluded.provider, method = excluded.method, status = excluded.status
    where (payments.method, payments.status) <> (excluded.method, excluded.status))`;

const REFUNDS = sql`refunds_in as (
  insert into refunds (id, order_id, merchant_id, out_refund_no, status, origin, amount, body)
  select n.* from saved, doc, jsonb_to_recordset(d -> 'refunds') as n(id text, order_id text, merchant_id text,
    out_refund_no text, status text, origin text, amount bigint, body jsonb)
  on conflict (id) do update set out_refund_no = excluded.out_refund_no, status = excluded.status,
    origin = excluded.origin, amount = excluded.amount, body = excluded.body where refunds.body <> excluded.body),
refunds_out as (
  delete from refunds r using saved, doc where r.order_id = saved.id
    and not exists (select from jsonb_array_elements(d -> 'refunds') n where n ->> 'id' = r.id))`;

const LEDGER = sql`ledger_in as (
  insert into ledger (order_id, type, reference, merchant_id, provider, out_trade_no, amount, currency, at, confirmed)
  select n.* from saved, doc, jsonb_to_recordset(d -> 'ledger') as n(order_id text, type text, reference text,
    merchant_id text, provider text, out_trade_no text, amount bigint, currency text, at timestamptz, confirmed boolean)
  on conflict (order_id, type, reference) do update set provider = excluded.provider,
    out_trade_no = excluded.out_trade_no, amount = excluded.amount, currency = excluded.currency, at = excluded.at,
    confirmed = excluded.confirmed
    where (ledger.provider, ledger.out_trade_no, ledger.amount, ledger.currency, ledger.at, ledger.confirmed)
      <> (excluded.provider, excluded.out_trade_no, excluded.amount, excluded.currency, excluded.at, excluded.confirmed)),
ledger_out as (
  delete from ledger l using saved, doc where l.order_id = saved.id and not exists (
    select from jsonb_array_elements(d -> 'ledger') n where n ->> 'type' = l.type and n ->> 'reference' = l.reference))`;

const timeline = (lastSeq: number) => sql`events_in as (
  insert into order_events (order_id, seq, id, type, at, actor, data)
  select n.* from saved, doc, jsonb_to_recordset(d -> 'events') as n(order_id text, seq int, id text, type text,
    at timestamptz, actor jsonb, data jsonb)
  on conflict (order_id, seq) do update set type = excluded.type, at = excluded.at, actor = excluded.actor,
    data = excluded.data),
events_out as (
  delete from order_events e using saved where e.order_id = saved.id and e.seq > ${lastSeq})`;

const noticesTaken = (notices: readonly string[]) => sql`notices_in as (
  update notices set processed_at = now() from saved
  where notices.id = any(${[...notices]}::text[]) and processed_at is null)`;

function documentOf(order: Order, { before, events }: Save) {
  return {
    book: bookOf(order),
    items: order.items.map(itemColumns),
    payments: paymentRows(order),
    refunds: refundRows(order),
    ledger: ledgerRows(order),
    events: eventRows(order, before.seq, events),
    outbox: outboxRows(before, events),
  };
}
