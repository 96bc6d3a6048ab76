import type { Kysely } from 'kysely';
import { keepBody, type Claimed } from '../db/notifications.ts';
import { findOrder } from '../db/orders.ts';
import type { Database } from '../db/schema.ts';
import { notificationBody } from '../notifications/body.ts';

/** The bytes of a message: made at its first attempt, and kept for the further ones. */
export async function bodyOf(db: Kysely<Database>, claimed: Claimed): Promise<string> {
  if (claimed.body !== null) return claimed.body;
  const { order_id: order, seq, number } = claimed;
  const stored = await findOrder(db, order, null);
  const entry = await db
    .selectFrom('outbox')
    .select(['type', 'at', 'body'])
    .where('order_id', '=', order)
    .where('seq', '=', seq)
    .executeTakeFirst();
  if (!stored || !entry) throw new Error(`notification ${claimed.id} has lost its order`);
  const body = notificationBody(entry.type, entry.at, entry.body, stored);
  await keepBody(db, number, body);
  return body;
}
