import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';

/** Brings the template database of the tests to the newest schema, and leaves no connection to it open. */
export async function migrateTemplate(url: string): Promise<void> {
  const db = connect(url, { connections: 1 });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}
