import { sql, type Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** A caller's key for one method and path. */
export type KeyPlace = { scope: string; key: string };
/**
 * claimed: the request is to be carried out, and `seed` is the same whenever this key's request is; answered: it was;
 * running: another one is at it.
 */
export type Claim =
  | { state: 'claimed'; seed: string; tries: number }
  | { state: 'answered'; bodyHash: Buffer; status: number; answer: string }
  | { state: 'running'; bodyHash: Buffer };

/** Takes the key for this request, unless it is taken; a claim that was left unanswered lapses after `leaseMs`. */
export async function claimKey(
  db: Kysely<Database>,
  { scope, key }: KeyPlace,
  bodyHash: Buffer,
  leaseMs: number,
): Promise<Claim> {
  const until = sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`;
  const { rows } = await sql<ClaimRow>`
    with claimed as (
      insert into idempotency_keys (scope, key, body_hash, running_until) values (${scope}, ${key}, ${bodyHash}, ${until})
      on conflict (scope, key) do update set running_until = excluded.running_until
        where idempotency_keys.status is null and idempotency_keys.running_until <= now()
          and idempotency_keys.body_hash = excluded.body_hash
      returning created_at, tries
    )
    select true as claimed, extract(epoch from created_at)::text as seed, tries, null::bytea as body_hash,
      null::int as status, null as answer from claimed
    union all
    select false, '', 0, body_hash, status, answer from idempotency_keys
    where scope = ${scope} and key = ${key} and not exists (select from claimed)`.execute(db);
  const row = rows[0];
  // Another request took it after this statement began; the next one sees it.
  return row ? claimOf(row) : claimKey(db, { scope, key }, bodyHash, leaseMs);
}

type ClaimRow = { claimed: boolean; seed: string; tries: number } & (
  { claimed: true } | { claimed: false; body_hash: Buffer; status: number | null; answer: string | null }
);

function claimOf(row: ClaimRow): Claim {
  if (row.claimed) return { state: 'claimed', seed: row.seed, tries: row.tries };
  const { body_hash: bodyHash, status, answer } = row;
  return status === null || answer === null
    ? { state: 'running', bodyHash }
    : { state: 'answered', bodyHash, status, answer };
}

/** Keeps the answer for repeats; `answer` is sealed. */
export async function keepAnswer(
  db: Kysely<Database>,
  { scope, key }: KeyPlace,
  kept: { status: number; answer: string; order: string | null },
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ status: kept.status, answer: kept.answer, order_id: kept.order })
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute();
}

/** Nothing to keep came of it: the next request with this key and body goes on. */
export async function releaseKey(
  db: Kysely<Database>,
  { scope, key }: KeyPlace,
  { anew }: { anew: boolean },
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set((row) => ({ running_until: sql<Date>`now()`, tries: row('tries', '+', anew ? 1 : 0) }))
    .where('scope', '=', scope)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute();
}

/** Keys are kept for at least a day. @returns how many were forgotten */
export async function forgetOldKeys(db: Kysely<Database>, createdBefore: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('idempotency_keys')
    .where('created_at', '<', createdBefore)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
