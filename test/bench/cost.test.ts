import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startBareWorker } from '../../bench/bare-worker.ts';
import { BUDGET, countHistory, countPaid, countUnpaid, type Subject } from '../../bench/cost.ts';
import { listenForSaves } from '../../bench/saves.ts';
import type { Shop } from '../../bench/shop.ts';
import { startSystem } from '../../bench/system.ts';
import { startWorld } from '../../bench/world.ts';
import { connectClient, connectNative, temporalAt } from '../../client/connection.ts';
import { freshDatabase } from '../support/database.ts';

/**
 * What an order costs, in what doesn't depend on the machine. Statements are measured, not promised: a change that
 * needs more, or fewer, says so here. A machine that stalls costs more (an answer is looked for again): hence the retries.
 */
const STATEMENTS = { unpaid: 3, paid: 17, paidWithKeys: 27 };
const RETRIES = { retry: 2 };

let subject: Subject & { carefulShop: Shop };
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const temporalAddress = inject('temporalAddress');
  const database = await freshDatabase();
  stops.push(() => database.drop());
  const dataDir = mkdtempSync(join(tmpdir(), 'durable-orders-cost-'));
  stops.push(async () => rmSync(dataDir, { recursive: true, force: true }));
  const world = await startWorld(database.url, dataDir);
  stops.push(() => world.stop());
  const saves = await listenForSaves(database.url);
  stops.push(() => saves.stop());
  const client = await connectClient(temporalAt(temporalAddress));
  stops.push(() => client.connection.close());
  const system = await startSystem({ databaseUrl: database.url, temporalAddress, taskQueue: `cost-${process.pid}` });
  stops.push(() => system.stop());
  subject = {
    client,
    saves,
    shop: world.shopAt(system.url),
    carefulShop: world.shopAt(system.url, { keys: true }),
    takeStatements: () => system.takeStatements(),
  };
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

describe('an order costs little', () => {
  it('that nobody opened a payment on', RETRIES, async () => {
    const { events, tasks, statements } = await countUnpaid(subject);
    expect(events).toBeLessThanOrEqual(BUDGET.unpaid.events);
    expect(tasks).toBeLessThanOrEqual(BUDGET.unpaid.tasks);
    expect(statements).toBe(STATEMENTS.unpaid);
  });

  it('that is paid, delivered and received', RETRIES, async () => {
    const { events, tasks, statements } = await countPaid(subject);
    expect(events).toBeLessThanOrEqual(BUDGET.paid.events);
    expect(tasks).toBeLessThanOrEqual(BUDGET.paid.tasks);
    expect(statements).toBe(STATEMENTS.paid);
  });

  it('the same, with an Idempotency-Key on each call', RETRIES, async () => {
    const { events, statements } = await countPaid({ ...subject, shop: subject.carefulShop });
    expect(events).toBeLessThanOrEqual(BUDGET.paid.events);
    expect(statements).toBe(STATEMENTS.paidWithKeys);
  });
});

it('is measured against a bare workflow of 31 events and 6 tasks', async () => {
  const connection = await connectNative(temporalAt(inject('temporalAddress')));
  const bare = await startBareWorker(subject.client, connection);
  try {
    const [id] = await bare.run(1, 1);
    expect(await countHistory(subject.client, id!)).toEqual({ events: 31, tasks: 6 });
  } finally {
    await bare.stop();
    await connection.close();
  }
});
