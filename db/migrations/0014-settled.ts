import { sql, type Kysely } from 'kysely';

/** Whether a message can still be taken back is asked, no longer a matter of time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table notifications alter column settled_at drop not null`.execute(db);
}
