import type { Kysely } from 'kysely';
import { connect } from '../db/connect.ts';
import { isMigrated } from '../db/migrate.ts';
import type { Database } from '../db/schema.ts';
import { readConfig } from '../start/config.ts';
import { StartError } from '../start/failure.ts';
import { urlOfRunningPostgres } from '../start/postgres.ts';

/** The database in DATABASE_URL, else the one that `npm start` runs now on the data folder. @throws StartError */
export function databaseUrl(): string {
  const { databaseUrl: named, dataDir } = readConfig(process.env);
  const url = named ?? urlOfRunningPostgres(dataDir);
  if (url === null)
    throw new StartError(
      `No database: set DATABASE_URL, or let \`npm start\` run on this data folder (${dataDir}, DATA_DIR).`,
    );
  return url;
}

/** @throws StartError if there is no database, or one with an older schema */
export async function withDatabase<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const db = connect(databaseUrl(), { connections: 1 });
  try {
    if (!(await isMigrated(db)))
      throw new StartError('The database has an older schema. Run `npm run orders -- migrate` first.');
    return await work(db);
  } finally {
    await db.destroy();
  }
}
