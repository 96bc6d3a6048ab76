/** API and worker as in production: processes of their own, each with one address that shows how it is. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connect } from '../../db/connect.ts';
import { freePort } from '../../start/ports.ts';
import { DEMO, seedMerchant } from '../../start/seed.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/orders.ts';

/** A worker bundles its workflows first, and other tests run beside. */
const PATIENCE_MS = 100_000;
const ROOT = resolve(import.meta.dirname, '../..');
let database: TestDatabase;
let env: Record<string, string | undefined>;
const parts: ChildProcess[] = [];

const start = (part: 'api' | 'worker') => {
  const child = spawn(process.execPath, ['--import', 'tsx', join('start', `${part}.ts`)], { cwd: ROOT, env });
  parts.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  return { child, said: () => said };
};
const read = (variable: 'PORT' | 'WORKER_PORT', path: string): Promise<{ status: number; text: string }> =>
  fetch(`http://127.0.0.1:${env[variable]}${path}`).then(
    async (answer) => ({ status: answer.status, text: await answer.text() }),
    (error: unknown) => ({ status: 0, text: String(error) }),
  );
const isReady = (variable: 'PORT' | 'WORKER_PORT') =>
  until(
    () => read(variable, '/readyz'),
    ({ status }) => status === 200,
    PATIENCE_MS,
  );

beforeAll(async () => {
  database = await freshDatabase();
  const db = connect(database.url);
  await seedMerchant(db);
  await db.destroy();
  env = {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  };
});
afterAll(async () => {
  for (const part of parts) part.kill('SIGKILL');
  await database.drop();
});

it('show how they are, with all that the dashboard names, and end in order', async () => {
  const [api, worker] = [start('api'), start('worker')];
  await isReady('WORKER_PORT');
  expect((await read('WORKER_PORT', '/healthz')).text).toBe('{"status":"up"}');
  expect((await read('WORKER_PORT', '/v1/orders')).status).toBe(404);
  const order = { merchant_order_no: 'A-1', currency: 'CNY', test: true };
  const items = [{ name: 'Green tea', quantity: 1, unit_amount: 1500, fulfilment: 'digital' }];
  const headers = { authorization: `Bearer ${DEMO.apiKey}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ ...order, items });
  await isReady('PORT');
  const created = await fetch(`http://127.0.0.1:${env['PORT']}/v1/orders`, { method: 'POST', headers, body });
  expect(created.status).toBe(201);
  const { id } = (await created.json()) as { id: string };
  await until(
    async () => (await fetch(`http://127.0.0.1:${env['PORT']}/v1/orders/${id}`, { headers })).text(),
    (text) => text.includes('"status":"completed"'),
  );
  const missing = async () => {
    const shown = `${(await read('WORKER_PORT', '/metrics')).text}\n${(await read('PORT', '/metrics')).text}`;
    const names = [...shown.matchAll(/^# TYPE (\w+) /gm)].map((match) => match[1]!);
    return namedOnDashboard().filter((name) => !names.includes(name));
  };
  expect(namedOnDashboard().length).toBeGreaterThan(20);
  await until(missing, ({ length }) => length === 0);
  for (const { child } of [api, worker]) {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
  expect(worker.said()).toContain('"msg":"stopping"');
});

it('say which variable changes a port that is taken', async () => {
  env['WORKER_PORT'] = new URL(`http://${env['TEMPORAL_ADDRESS']}`).port;
  const { child, said } = start('worker');
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(said()).toContain(`Port ${env['WORKER_PORT']} is taken by another program.`);
  expect(said()).toContain('choose another port with WORKER_PORT');
});

/** A histogram's parts count as the histogram. */
function namedOnDashboard(): string[] {
  const dashboard = JSON.parse(readFileSync(join(ROOT, 'docs/observability/dashboard.json'), 'utf8'));
  const asked: string[] = dashboard.panels.flatMap((panel: any) => (panel.targets ?? []).map(({ expr }: any) => expr));
  const names = asked.flatMap((expr) => [...expr.matchAll(/\b((?:orders|temporal|process|nodejs)_\w+)/g)]);
  return [...new Set(names.map((match) => match[1]!.replace(/_(bucket|count|sum)$/, '')))];
}
