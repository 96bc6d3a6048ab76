/** A database of its own for each test file, cloned from a template that is migrated once per run. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { ROLE } from '../../start/postgres-cluster.ts';
import { migrateTemplate } from './migrate.ts';

export type TestDatabase = {
  /** As the user who owns it, as in production. */
  url: string;
  /** Drops it, connected clients or not. */
  drop(): Promise<void>;
};

const TEMPLATE = 'orders_template';

/** A migrated, empty database that nobody else uses. Cheap (about 30 ms): one per test file, or per test. */
export async function freshDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('databaseAdminUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await run(adminUrl, `create database ${name} template ${TEMPLATE} owner ${ROLE}`);
  return { url: urlOf(adminUrl, name), drop: () => run(adminUrl, `drop database if exists ${name} with (force)`) };
}

/** Makes the template: for the global set-up only. */
export async function prepareTemplate(adminUrl: string): Promise<void> {
  await run(adminUrl, `create database ${TEMPLATE} owner ${ROLE}`);
  await migrateTemplate(urlOf(adminUrl, TEMPLATE));
  await run(adminUrl, `alter database ${TEMPLATE} with is_template true allow_connections false`);
}

/** Our own user has the superuser's password (see start/postgres.ts). */
function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.username = ROLE;
  url.pathname = `/${database}`;
  return url.href;
}

async function run(adminUrl: string, statement: string): Promise<void> {
  const db = new pg.Client({ connectionString: adminUrl });
  await db.connect();
  try {
    await db.query(statement);
  } finally {
    await db.end();
  }
}
