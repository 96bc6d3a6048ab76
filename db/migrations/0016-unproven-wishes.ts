import { sql, type Kysely } from 'kysely';

/** Which wishes an unproven order was saved with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table orders add column unproven_wishes text[]`.execute(db);
}
