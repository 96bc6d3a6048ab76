import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { findKey, findKeyById, type ApiKey } from './keys.ts';
import { hashOfKey } from './merchants.ts';
import type { Database } from './schema.ts';

/** An operator who is signed in. `timeZone`: in which times are told, as `Asia/Shanghai`. */
export type Session = { key: ApiKey; timeZone: string };

/** What the browser holds is random and long: a plain hash keeps it unreadable here. */
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * Signs the holder of an operator key in; also forgets the sessions that are over.
 * @param key as its holder has it. @returns false if it is no operator key that is in force
 */
export async function openSession(
  db: Kysely<Database>,
  session: { key: string; token: string; timeZone: string; expiresAt: Date },
): Promise<boolean> {
  const { key, token, timeZone, expiresAt } = session;
  const found = await findKey(db, hashOfKey(key));
  if (found?.kind !== 'operator') return false;
  await db
    .deleteFrom('console_sessions')
    .where('expires_at', '<', sql<Date>`now()`)
    .execute();
  await db
    .insertInto('console_sessions')
    .values({ hash: hashOf(token), key_id: found.id, time_zone: timeZone, expires_at: expiresAt })
    .execute();
  return true;
}

/** @returns null if there is none, it is over, or its key was revoked */
export async function findSession(db: Kysely<Database>, token: string, now: Date): Promise<Session | null> {
  const row = await db
    .selectFrom('console_sessions')
    .select(['key_id', 'time_zone'])
    .where('hash', '=', hashOf(token))
    .where('expires_at', '>', now)
    .executeTakeFirst();
  const key = row && (await findKeyById(db, row.key_id));
  return key ? { key, timeZone: row.time_zone } : null;
}

export async function closeSession(db: Kysely<Database>, token: string): Promise<void> {
  await db.deleteFrom('console_sessions').where('hash', '=', hashOf(token)).execute();
}
