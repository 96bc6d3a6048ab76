import { sql } from 'kysely';
import type { OrderEvent } from '../domain/events.ts';
import { isTimelineEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import { causeOf } from '../domain/notification.ts';
import type { Order } from '../domain/order.ts';
import { instant, viewAfter } from '../domain/view.ts';

/** What merchants are told, written with the change itself: the parts of a save's statement that do it. */

/**
 * A workflow task that is repeated takes back what it had saved. So that is told once a later task's save builds on it, or
 * Temporal says that the task is complete: first asked so long after the save. Milliseconds.
 */
export const ASKED_AFTER_MS = 1_000;

/** Each entry of the timeline with the order as it was at that moment. */
export function outboxRows(before: Order, events: readonly OrderEvent[]) {
  let order = before;
  return events.flatMap((event) => {
    order = evolve(order, event);
    if (!isTimelineEvent(event)) return [];
    const { id: order_id, seq, merchant: merchant_id } = order;
    const cause = causeOf(event, order);
    return {
      order_id,
      seq,
      merchant_id,
      type: event.type,
      cause,
      at: instant(event.at),
      body: viewAfter(order, event),
    };
  });
}

/** At a save of entries up to `last`, whose task began when `base` was the last one: all beyond is replaced. */
export const toldBySave = (base: number, last: number) => sql`
  ${told('saved', base)},
  outbox_out as (
    delete from outbox o using saved where o.order_id = saved.id and o.seq > ${last}),
  notifications_out as (
    delete from notifications n using saved where n.order_id = saved.id and n.seq > ${base}::int and n.seq <= ${last}::int
      and not exists (select from addressed a where a.seq = n.seq and a.endpoint = n.endpoint_id)),
  notifications_settled as (
    update notifications n set settled_at = now(), next_attempt_at = now() from saved
    where n.order_id = saved.id and n.seq <= ${base}::int and n.settled_at is null)`;

/** At the creation, which nothing takes back. */
export const toldByCreation = told('made', 0);

/** The endpoints that there is something new for. */
export const endpointsTold = sql`
  coalesce((select array_agg(distinct endpoint_id) from notifications_in), '{}')`;

/**
 * Only for merchants who want to be told. A notification's id is made of its event's cause and of how often that has
 * occurred, so that a repeated task gives the same id at whatever place.
 */
function told(written: 'saved' | 'made', base: number) {
  const settled = written === 'made' ? sql`now()` : sql`null::timestamptz`;
  return sql`told as (
    select n.*, row_number() over (partition by n.cause order by n.seq) + (
      select count(*) from outbox o where o.order_id = n.order_id and o.seq <= ${base}::int and o.cause = n.cause) as nth
    from ${sql.table(written)}, doc, jsonb_to_recordset(d -> 'outbox') as n(order_id text, seq int, merchant_id text,
      type text, cause text, at timestamptz, body jsonb)
    where exists (select from webhook_endpoints w where w.merchant_id = n.merchant_id and w.status = 'enabled')),
  outbox_in as (
    insert into outbox (order_id, seq, merchant_id, type, cause, at, body)
    select order_id, seq, merchant_id, type, cause, at, body from told
    on conflict (order_id, seq) do update set type = excluded.type, cause = excluded.cause, at = excluded.at,
      body = excluded.body),
  addressed as (
    select told.*, w.id as endpoint from told join webhook_endpoints w on w.merchant_id = told.merchant_id
      and w.status = 'enabled' and (w.types is null or told.type = any(w.types))),
  notifications_in as (
    insert into notifications (id, order_id, seq, endpoint_id, merchant_id, type, settled_at, next_attempt_at)
    select 'ntf_' || left(encode(sha256(convert_to(concat_ws('/', order_id, cause, nth, endpoint), 'UTF8')), 'hex'), 24),
      order_id, seq, endpoint, merchant_id, type, ${settled},
      coalesce(${settled}, now() + ${ASKED_AFTER_MS}::int * interval '1 ms')
    from addressed order by seq, endpoint
    on conflict (order_id, seq, endpoint_id) do update set id = excluded.id, type = excluded.type, status = 'pending',
      tries = 0, body = null, settled_at = excluded.settled_at, next_attempt_at = excluded.next_attempt_at
      where notifications.id <> excluded.id
    returning endpoint_id)`;
}
