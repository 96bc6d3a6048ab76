import { sql, type Kysely, type Selectable } from 'kysely';
import type { NotificationType } from '../domain/notification.ts';
import type { WebhookEndpointsTable } from './schema-notifications.ts';
import type { Database } from './schema.ts';
import type { Sealer } from './sealed.ts';

/** Where merchants want to be told. */

export type Endpoint = Selectable<WebhookEndpointsTable>;
/** `whsec_…`, the newest first; `until` (epoch milliseconds): how long a rotated one still signs; null: it is the one. */
export type EndpointSecret = { secret: string; until: number | null };

const contextOf = (endpoint: string): string => `webhook_endpoints.secrets/${endpoint}`;

export const sealSecrets = (sealer: Sealer, endpoint: string, secrets: readonly EndpointSecret[]): string =>
  sealer.seal(secrets, contextOf(endpoint));

/** Those that sign at this moment (epoch milliseconds), the newest first. */
export function openSecrets(sealer: Sealer, { id, secrets }: Endpoint, at: number): EndpointSecret[] {
  if (secrets === null) return [];
  return (sealer.open(secrets, contextOf(id)) as EndpointSecret[]).filter(({ until }) => until === null || until > at);
}

export type NewEndpoint = {
  id: string;
  merchant: string;
  url: string;
  types: readonly NotificationType[] | null;
  /** Sealed. */
  secrets: string;
};

/** The same id again means the same endpoint, with the newer secret. @returns null if the merchant has `most` already */
export async function putEndpoint(
  db: Kysely<Database>,
  { id, merchant, url, types, secrets }: NewEndpoint,
  most: number,
): Promise<Endpoint | null> {
  const { rows } = await sql<Endpoint>`
    insert into webhook_endpoints (id, merchant_id, url, types, status, secrets)
    select ${id}, ${merchant}, ${url}, ${types && [...types]}::text[], 'enabled', ${secrets}
    where (select count(*) from webhook_endpoints
      where merchant_id = ${merchant} and deleted_at is null and id <> ${id}) < ${most}
    on conflict (id) do update set secrets = excluded.secrets
    returning *`.execute(db);
  return rows[0] ?? null;
}

export function findEndpoint(db: Kysely<Database>, id: string, merchant: string): Promise<Endpoint | undefined> {
  return db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('id', '=', id)
    .where('merchant_id', '=', merchant)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** For people who look after the whole system: of whichever merchant. */
export function findAnyEndpoint(db: Kysely<Database>, id: string): Promise<Endpoint | undefined> {
  return db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** Newest first. @param before only those with a smaller number */
export function listEndpoints(
  db: Kysely<Database>,
  { merchant, before, limit }: { merchant: string; before: number | undefined; limit: number },
): Promise<Endpoint[]> {
  return db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('merchant_id', '=', merchant)
    .where('deleted_at', 'is', null)
    .$if(before !== undefined, (query) => query.where('number', '<', before!))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
}

/** Its history stays; what it was not told yet is given up. */
export async function deleteEndpoint(db: Kysely<Database>, id: string, at: Date): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .updateTable('webhook_endpoints')
      .set({ status: 'disabled', deleted_at: at, secrets: null })
      .where('id', '=', id)
      .execute();
    await trx
      .updateTable('notifications')
      .set({ status: 'failed', failed_at: at, last_error: 'the endpoint was deleted' })
      .where('endpoint_id', '=', id)
      .where('status', '=', 'pending')
      .execute();
  });
}

export async function setSecrets(db: Kysely<Database>, id: string, secrets: string): Promise<void> {
  await db.updateTable('webhook_endpoints').set({ secrets }).where('id', '=', id).execute();
}

/** What waits for it is due at once. */
export async function enableEndpoint(db: Kysely<Database>, id: string, at: Date): Promise<Endpoint> {
  return db.transaction().execute(async (trx) => {
    await trx
      .updateTable('notifications')
      .set({ next_attempt_at: sql`greatest(settled_at, ${at})` })
      .where('endpoint_id', '=', id)
      .where('status', '=', 'pending')
      .execute();
    return trx
      .updateTable('webhook_endpoints')
      .set({ status: 'enabled', paused_until: null })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}
