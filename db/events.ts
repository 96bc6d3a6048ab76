import type { Kysely, Selectable } from 'kysely';
import type { Database } from './schema.ts';

export type StoredEvent = Omit<Selectable<Database['order_events']>, 'order_id'>;

/** The timeline's entries after number `after`, oldest first. */
export function listEvents(
  db: Kysely<Database>,
  order: string,
  { after, limit }: { after: number; limit: number },
): Promise<StoredEvent[]> {
  return db
    .selectFrom('order_events')
    .select(['id', 'seq', 'type', 'at', 'actor', 'data'])
    .where('order_id', '=', order)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}
