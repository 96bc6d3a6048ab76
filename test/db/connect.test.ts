import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { connect } from '../../db/connect.ts';
import { freshDatabase } from '../support/database.ts';

it('a connection that breaks in somebody’s hands is their next statement’s error, and no end of the process', async () => {
  const database = await freshDatabase();
  const { url } = database;
  const [db, other] = [connect(url), connect(url, { connections: 1 })];
  const broken = db.connection().execute(async (held) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(held);
    await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(other);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await sql`select 1`.execute(held);
  });
  await expect(broken).rejects.toThrow(/terminat|not queryable|connection error/i);
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
  await db.destroy();
  await other.destroy();
  await database.drop();
});
