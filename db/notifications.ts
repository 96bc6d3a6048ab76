import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type { Endpoint } from './endpoints.ts';
import type { NotificationsTable } from './schema-notifications.ts';
import type { Database } from './schema.ts';

/** Messages to merchants' endpoints on their way. One order's go to one endpoint in their order. */

/** Longer than any attempt takes: one whose end nobody has seen is made again then. Milliseconds. */
export const LEASE_MS = 30_000;

type Notification = Selectable<NotificationsTable>;
export type Claimed = Notification & { attempt: number };

/** Takes what is due, is settled, and nothing earlier of the same order holds back, and notes that an attempt begins. */
export async function claimDue(db: Kysely<Database>, endpoint: string, at: Date, limit: number): Promise<Claimed[]> {
  return db.transaction().execute(async (trx) => {
    await waitBehindEarlierOnes(trx, endpoint, at);
    const { rows } = await sql<Claimed>`
      with due as (
        select number from notifications n
        where endpoint_id = ${endpoint} and status = 'pending' and next_attempt_at <= ${at}
          and settled_at is not null and exists (select from webhook_endpoints w where w.id = n.endpoint_id and w.status = 'enabled'
            and (w.paused_until is null or w.paused_until <= ${at}))
          and not exists (select from notifications e where ${isEarlier})
        order by next_attempt_at, number limit ${limit} for update skip locked),
      claimed as (
        update notifications n set tries = tries + 1, next_attempt_at = ${new Date(at.getTime() + LEASE_MS)}
        from due where n.number = due.number returning n.*),
      attempts as (
        insert into notification_attempts (notification, at) select number, ${at} from claimed returning id, notification)
      select c.*, a.id as attempt from claimed c join attempts a on a.notification = c.number`.execute(trx);
    return rows;
  });
}

/** `e` is of the same order and endpoint as `n`, and comes first. What is sent again holds back only its like. */
const isEarlier = sql`e.order_id = n.order_id and e.endpoint_id = n.endpoint_id and e.seq < n.seq
  and e.status = 'pending' and e.resent = n.resent`;

/** So that what can't be sent yet is not looked at again and again. */
const waitBehindEarlierOnes = (trx: Transaction<Database>, endpoint: string, at: Date) =>
  sql`
    update notifications n set next_attempt_at = e.next_attempt_at from notifications e
    where n.endpoint_id = ${endpoint} and n.status = 'pending' and n.next_attempt_at <= ${at} and ${isEarlier}
      and e.next_attempt_at > ${at}`.execute(trx);

/** The bytes that every attempt sends: those of the first one. */
export async function keepBody(db: Kysely<Database>, number: number, body: string): Promise<void> {
  await db.updateTable('notifications').set({ body }).where('number', '=', number).where('body', 'is', null).execute();
}

/** How an attempt ended. `next`: when the next one follows; null: it was delivered, or is given up. */
export type AttemptEnd = {
  attempt: number;
  /** Of the HTTP answer. */
  status: number | null;
  durationMs: number;
  error: string | null;
  next: Date | null;
};

/** Later ones of the same order follow at once, or wait with it. */
export async function endAttempt(
  db: Kysely<Database>,
  { number, tries }: Pick<Claimed, 'number' | 'tries'>,
  { attempt, status, durationMs, error, next }: AttemptEnd,
  at: Date,
): Promise<void> {
  const state = error === null ? 'delivered' : next === null ? 'failed' : 'pending';
  await sql`
    with attempted as (
      update notification_attempts set status = ${status}, duration_ms = ${durationMs}, error = ${error}
      where id = ${attempt}),
    ended as (
      update notifications set status = ${state}, last_error = ${error}, next_attempt_at = ${next ?? at},
        delivered_at = case when ${state} = 'delivered' then ${at}::timestamptz else delivered_at end,
        failed_at = case when ${state} = 'failed' then ${at}::timestamptz end
      where number = ${number} and status = 'pending' and tries = ${tries} returning *)
    update notifications n set next_attempt_at = greatest(n.settled_at, ${next ?? at})
    from ended e where n.order_id = e.order_id and n.endpoint_id = e.endpoint_id and n.seq > e.seq
      and n.status = 'pending' and n.resent = e.resent and n.tries = 0`.execute(db);
}

/** It asked to be left alone. */
export async function pauseEndpoint(db: Kysely<Database>, endpoint: string, until: Date): Promise<void> {
  await db.updateTable('webhook_endpoints').set({ paused_until: until }).where('id', '=', endpoint).execute();
}

/** It is gone; what waits for it waits until somebody enables it. */
export async function disableEndpoint(db: Kysely<Database>, endpoint: string): Promise<void> {
  await db.updateTable('webhook_endpoints').set({ status: 'disabled' }).where('id', '=', endpoint).execute();
}

/** An endpoint that is in use; undefined if it is switched off. */
export const findEnabled = (db: Kysely<Database>, id: string): Promise<Endpoint | undefined> =>
  db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('id', '=', id)
    .where('status', '=', 'enabled')
    .executeTakeFirst();

/** When the endpoint is to be told something next; null: nothing waits for it. */
export async function nextAttemptAt(db: Kysely<Database>, endpoint: string): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    select greatest(w.paused_until, (select min(next_attempt_at) from notifications n
      where n.endpoint_id = w.id and n.status = 'pending')) as at
    from webhook_endpoints w where w.id = ${endpoint} and w.status = 'enabled'
      and exists (select from notifications n where n.endpoint_id = w.id and n.status = 'pending')`.execute(db);
  return rows[0]?.at ?? null;
}

/** Endpoints that nobody has told what is due since that moment. */
export async function findUntold(db: Kysely<Database>, since: Date, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select w.id from webhook_endpoints w
    where w.status = 'enabled' and (w.paused_until is null or w.paused_until < ${since}) and exists (
      select from notifications n where n.endpoint_id = w.id and n.status = 'pending' and n.next_attempt_at < ${since})
    limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** As the merchant sees it. */
export type ListedNotification = Notification & {
  attempts: { at: string; status: number | null; duration_ms: number | null; error: string | null }[];
};
export type NotificationFilter = {
  merchant: string;
  id?: string;
  status?: Notification['status'];
  order?: string;
  /** Only those with a smaller number. */
  before?: number;
  limit: number;
};

/** Newest first. */
export function listNotifications(db: Kysely<Database>, filter: NotificationFilter): Promise<ListedNotification[]> {
  return db
    .selectFrom('notifications')
    .selectAll()
    .select(
      sql<ListedNotification['attempts']>`coalesce((select json_agg(json_build_object('at', a.at, 'status', a.status,
        'duration_ms', a.duration_ms, 'error', a.error) order by a.id) from notification_attempts a
        where a.notification = notifications.number), '[]')`.as('attempts'),
    )
    .where('merchant_id', '=', filter.merchant)
    .$if(filter.id !== undefined, (query) => query.where('id', '=', filter.id!))
    .$if(filter.status !== undefined, (query) => query.where('status', '=', filter.status!))
    .$if(filter.order !== undefined, (query) => query.where('order_id', '=', filter.order!))
    .$if(filter.before !== undefined, (query) => query.where('number', '<', filter.before!))
    .orderBy('number', 'desc')
    .limit(filter.limit)
    .execute();
}

/**
 * Sends again, with all tries before it: one, or all that were given up since a moment. Those of endpoints that are
 * switched off stay as they are.
 * @returns the endpoint of each
 */
export async function sendAgain(
  db: Kysely<Database>,
  {
    merchant,
    at,
    ...which
  }: { merchant: string; at: Date } & ({ number: number } | { since: Date; endpoint?: string }),
): Promise<string[]> {
  const rows = await db
    .updateTable('notifications as n')
    .from('webhook_endpoints as w')
    .set({
      status: 'pending',
      tries: 0,
      resent: true,
      next_attempt_at: sql`greatest(settled_at, ${at})`,
      failed_at: null,
    })
    .whereRef('w.id', '=', 'n.endpoint_id')
    .where('w.status', '=', 'enabled')
    .where('n.merchant_id', '=', merchant)
    .$if('number' in which, (query) => query.where('n.number', '=', (which as { number: number }).number))
    .$if('since' in which, (query) =>
      query.where('n.status', '=', 'failed').where('n.failed_at', '>=', (which as { since: Date }).since),
    )
    .$if('endpoint' in which, (query) => query.where('n.endpoint_id', '=', (which as { endpoint: string }).endpoint))
    .returning('n.endpoint_id')
    .execute();
  return rows.map(({ endpoint_id }) => endpoint_id);
}
