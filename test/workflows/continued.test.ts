import { spawn, type ChildProcess } from 'node:child_process';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { connectClient, connectNative, temporalAt } from '../../client/connection.ts';
import { temporalGateway } from '../../client/gateway.ts';
import type { RefundId } from '../../domain/ids.ts';
import { view } from '../../domain/view.ts';
import { freePort } from '../../start/ports.ts';
import { SEARCH_ATTRIBUTES } from '../../start/search-attributes.ts';
import { findTemporal } from '../../start/temporal-binary.ts';
import { runWorker, type RunningWorker } from '../../worker/run.ts';
import { orderQuery, orderWorkflowId } from '../../workflows/messages.ts';
import { create, MERCHANT, noticeOf, pay, stored, until } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

/** A server that suggests to continue as new after a few events: large orders meet that after thousands. */

const SUGGESTED_AFTER = 40;
const TASK_QUEUE = 'orders-continued';
let server: ChildProcess;
let client: Client;
let connection: NativeConnection;
let system: System;
let worker: RunningWorker;

beforeAll(async () => {
  const others = await startSystem();
  const port = await freePort();
  const flags = ['server', 'start-dev', '--headless', `--port=${port}`, '--log-level=never'];
  server = spawn(
    await findTemporal({ env: process.env, progress: () => {} }),
    [
      ...flags,
      `--dynamic-config-value=limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER}`,
      ...SEARCH_ATTRIBUTES.map((name) => `--search-attribute=${name}=Keyword`),
    ],
    { stdio: 'ignore' },
  );
  const temporal = temporalAt(`127.0.0.1:${port}`);
  client = await until(
    () => connectClient(temporal).catch(() => null),
    (one) => one !== null,
    30_000,
  ).then((one) => one!);
  const gateway = temporalGateway(client, Date.now, TASK_QUEUE);
  system = { ...others, client, gateway };
  connection = await connectNative(temporal);
  worker = await runWorker({
    connection,
    namespace: 'default',
    taskQueue: TASK_QUEUE,
    bundle: system.bundle,
    deployment: null,
    activities: createActivities({
      db: system.db,
      sealer: system.sealer,
      gateway,
      notifiers: system.notifiers,
      allowLoopback: true,
      now: Date.now,
      log: pino({ level: 'silent' }),
      notifyUrl: () => 'http://127.0.0.1:9/',
      formUrl: () => 'http://127.0.0.1:9/',
      landingUrl: () => 'http://127.0.0.1:9/',
      returnUrl: () => 'http://127.0.0.1:9/',
      provider: async (merchant, name) => (await system.findProvider(merchant, name))!,
      machines: async (merchant) => (await system.findMachines(merchant))!,
    }),
  });
});
afterAll(async () => {
  await worker?.stop();
  await connection?.close();
  await client?.connection.close();
  await system?.stop();
  server?.kill('SIGKILL');
});

const ITEMS = 40;

it('an order whose history grows goes on in a new run, and loses no message meanwhile', async () => {
  const id = await create(system, { amounts: Array.from({ length: ITEMS }, () => 1000) });
  const payment = await pay(system, id);
  await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
  const { items } = await until(
    () => stored(system, id),
    ({ paidAt }) => paidAt !== null,
  );
  const runs = new Set<string>();
  const told = items.map(async (item, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 150));
    await system.gateway.tellDelivery(id, { itemId: item.id, status: 'delivering', by: MERCHANT });
    const { rows } = { rows: await system.db.selectFrom('orders').select('run_id').where('id', '=', id).execute() };
    runs.add(rows[0]!.run_id!);
  });
  const asked = Array.from({ length: 20 }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 290));
    return system.gateway.ask(id, {
      type: 'apply_refund',
      refund: `ref_${index}` as RefundId,
      ask: { type: 'amount', amount: 10 },
      reason: 'broken',
      origin: 'merchant',
      applicant: 'key:x',
      by: MERCHANT,
    });
  });
  await Promise.all([...told, ...asked]);
  const order = await until(
    () => stored(system, id),
    (seen) => seen.items.every(({ status }) => status === 'delivering'),
  );
  expect(order.refunds).toHaveLength(20);
  expect(runs.size).toBeGreaterThan(1);
  const handle = client.workflow.getHandle(orderWorkflowId(id));
  expect(await handle.query(orderQuery)).toEqual(view(order));
  const events = await system.db.selectFrom('order_events').select('seq').where('order_id', '=', id).execute();
  expect(new Set(events.map(({ seq }) => seq)).size).toBe(order.seq);
  const { events: history } = await handle.fetchHistory();
  expect(Number(history![0]!.workflowExecutionStartedEventAttributes?.workflowTaskTimeout?.seconds)).toBe(3);
});
