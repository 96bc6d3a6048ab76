import { Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { freshDatabase } from './database.ts';

it('gives each caller a database of its own', async () => {
  const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  const db = new pg.Client({ connectionString: one.url });
  await db.connect();
  await db.query('create table only_here (id int)');
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  await expect(other.query('select from only_here')).rejects.toThrow('does not exist');
  const me = await db.query('select rolsuper from pg_roles where rolname = current_user');
  expect(me.rows).toEqual([{ rolsuper: false }]);
  await Promise.all([db.end(), other.end()]);
  await Promise.all([one.drop(), two.drop()]);
});

it('gives a Temporal server that answers', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const { namespaces } = await connection.workflowService.listNamespaces({});
  expect(namespaces?.map(({ namespaceInfo }) => namespaceInfo?.name)).toContain('default');
  await connection.close();
});
