import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { putEndpoint, sealSecrets } from '../../db/endpoints.ts';
import { listNotifications, sendAgain } from '../../db/notifications.ts';
import { NOTIFICATION_PAUSES } from '../../domain/notification.ts';
import { newSecret } from '../../notifications/signature.ts';
import { runWorker, type RunningWorker } from '../../worker/run.ts';
import { createUnstarted } from '../support/orders.ts';
import { SEALER } from '../support/sealer.ts';
import { startSystem, type System } from '../support/system.ts';
import { timeSkippingEnvironment } from '../support/test-server.ts';
import { startReceiver, type Receiver } from './receiver.ts';

/** Days in seconds: the notifier and its activities on a server whose clock is moved on. */

const TASK_QUEUE = 'telling-in-skipped-time';
let system: System;
let env: TestWorkflowEnvironment;
let worker: RunningWorker;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem();
  env = await timeSkippingEnvironment();
  worker = await runWorker({
    connection: env.nativeConnection,
    namespace: 'default',
    taskQueue: TASK_QUEUE,
    bundle: system.bundle,
    deployment: null,
    activities: createActivities({
      db: system.db,
      gateway: system.gateway,
      notifiers: system.notifiers,
      sealer: SEALER,
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
  await env?.teardown();
  await system?.stop();
  await receiver?.stop();
});

async function endpoint(id: string): Promise<void> {
  const secrets = sealSecrets(SEALER, id, [{ secret: newSecret(), until: null }]);
  await putEndpoint(system.db, { id, merchant: 'demo', url: `${receiver.url}/${id}`, types: null, secrets }, 20);
}
let runs = 0;
/** Until nothing waits any more. */
const notify = (id: string) =>
  env.client.workflow.execute('notifier', {
    workflowId: `notifier/${id}/${runs++}`,
    taskQueue: TASK_QUEUE,
    args: [id],
  });
const listed = async (order: string) => {
  const all = await listNotifications(system.db, { merchant: 'demo', order, limit: 10 });
  return all.toReversed();
};

it(
  'tries eleven times with the published pauses, gives up, and holds nothing back then',
  { timeout: 120_000 },
  async () => {
    receiver.respond = (response, { body }) => void response.writeHead(body.type === 'order.created' ? 500 : 204).end();
    await endpoint('dead');
    const { order } = await createUnstarted(system, { test: true });
    await notify('dead');
    const [created, ...later] = await listed(order.id);
    expect(created).toMatchObject({ type: 'order.created', status: 'failed', last_error: 'answered 500' });
    const moments = created!.attempts.map(({ at }) => Date.parse(at));
    expect(moments).toHaveLength(NOTIFICATION_PAUSES.length + 1);
    NOTIFICATION_PAUSES.forEach((pause, index) => {
      const ratio = (moments[index + 1]! - moments[index]!) / pause;
      expect([index, ratio > 0.79 && ratio < 1.25]).toEqual([index, true]);
    });
    const sent = receiver.at('/dead').filter(({ body }) => body.type === 'order.created');
    expect(new Set(sent.map(({ text, headers }) => JSON.stringify([headers['webhook-id'], text]))).size).toBe(1);
    expect(new Set(sent.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(sent.length);
    expect(new Set(sent.map(({ headers }) => headers['webhook-signature'])).size).toBe(sent.length);
    expect(later.map(({ status }) => status)).toEqual(later.map(() => 'delivered'));
    expect(later.length).toBeGreaterThan(0);
    for (const { attempts } of later) expect(Date.parse(attempts[0]!.at)).toBeGreaterThanOrEqual(moments.at(-1)!);

    receiver.respond = (response) => void response.writeHead(204).end();
    expect(await sendAgain(system.db, { merchant: 'demo', since: new Date(0), at: new Date() })).toEqual(['dead']);
    await notify('dead');
    const [again] = await listed(order.id);
    expect(again).toMatchObject({ id: created!.id, status: 'delivered' });
    expect(again!.attempts).toHaveLength(moments.length + 1);
    expect(receiver.at('/dead').at(-1)!.text).toBe(sent[0]!.text);
  },
);

it('counts silence and a reset connection as failures', { timeout: 120_000 }, async () => {
  receiver.respond = (response, _, count) => {
    if (count === 1) response.destroy();
    else if (count > 2) response.writeHead(204).end();
  };
  await system.db.updateTable('webhook_endpoints').set({ status: 'disabled' }).execute();
  await endpoint('silent');
  const { order } = await createUnstarted(system);
  await notify('silent');
  const [created] = await listed(order.id);
  expect(created!.attempts).toMatchObject([
    { status: null, error: 'socket hang up' },
    { status: null, error: 'no answer within 15000 ms' },
    { status: 204, error: null },
  ]);
});
