import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { connect } from '../db/connect.ts';
import { isMigrated } from '../db/migrate.ts';
import type { Database } from '../db/schema.ts';
import { createSealer, type Sealer } from '../db/sealed.ts';
import { readConfig } from '../start/config.ts';
import { StartError } from '../start/failure.ts';
import { KEYS_FILE, keysOf } from '../start/keys.ts';
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

/** Whether it is the database of `npm start`: whose merchants may be told on this machine. */
export const isEmbedded = (): boolean => readConfig(process.env).databaseUrl === null;

/** The keys that API and worker have. @throws StartError where they are not known here: none are made */
export function sealerOf(): Sealer {
  const { encryptionKeys, dataDir } = readConfig(process.env);
  if (encryptionKeys) return createSealer(encryptionKeys);
  if (existsSync(join(dataDir, KEYS_FILE))) return createSealer(keysOf(dataDir));
  throw new StartError('ENCRYPTION_KEYS is not set: secrets are sealed with the keys that API and worker have.');
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
