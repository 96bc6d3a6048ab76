import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { notificationActivities } from '../../activities/notifications.ts';
import type { Deps } from '../../activities/index.ts';
import { putEndpoint, sealSecrets } from '../../db/endpoints.ts';
import { newSecret } from '../../wire/standard-webhooks.ts';
import type { ItemId, OrderId, RefundId } from '../../domain/ids.ts';
import { startDoomed } from '../support/doomed.ts';
import { saveAndBeLost } from '../support/lost.ts';
import { create, MERCHANT, stored, until } from '../support/orders.ts';
import { SEALER } from '../support/sealer.ts';
import { startSystem, type System } from '../support/system.ts';
import { startReceiver, type Receiver } from './receiver.ts';

const ENDPOINT = 'whe_of_taken_back';
let system: System;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem();
  const secrets = sealSecrets(SEALER, ENDPOINT, [{ secret: newSecret(), until: null }]);
  const url = `${receiver.url}/`;
  await putEndpoint(system.db, { id: ENDPOINT, merchant: 'demo', url, types: null, secrets }, 20);
});
afterAll(async () => {
  await system?.stop();
  await receiver?.stop();
});

/** What a notifier does that comes some seconds later, as Temporal had been away for so long. */
async function tellLater(): Promise<void> {
  const { db, sealer, gateway, notifiers } = system;
  const used: Pick<Deps, 'db' | 'sealer' | 'gateway' | 'notifiers' | 'allowLoopback' | 'now' | 'log'> = {
    db,
    sealer,
    gateway,
    notifiers,
    allowLoopback: true,
    now: Date.now,
    log: pino({ level: 'silent' }),
  };
  const activities = notificationActivities(used as Deps);
  await new MockActivityEnvironment().run(() =>
    activities.deliverNotifications({ endpoint: ENDPOINT, at: Date.now() + 3_000 }),
  );
}
const entries = (id: OrderId) =>
  system.db.selectFrom('order_events').select(['type', 'at']).where('order_id', '=', id).orderBy('seq').execute();
const told = () => receiver.received.map(({ body }) => `${body.type} ${body.timestamp}`);

it('what a task saved is not told before that task is complete', { timeout: 120_000 }, async () => {
  const id = await create(system, { amounts: [0] });
  const [item] = (await stored(system, id)).items;
  const doomed = await startDoomed(system, 1);
  await system.gateway.tellDelivery(id, { itemId: item!.id, status: 'delivering', by: MERCHANT });
  await doomed.dead;
  expect((await stored(system, id)).items[0]!.status).toBe('delivering');
  await tellLater();
  expect(told().map((one) => one.split(' ')[0])).not.toContain('item.delivery_updated');

  await system.startWorker();
  await until(
    async () => told(),
    (all) => all.some((one) => one.startsWith('order.processing')),
    60_000,
  );
  expect(told()).toEqual((await entries(id)).map(({ type, at }) => `${type} ${at.toISOString()}`));
});

it.each([
  ['a wish', { test: true }, () => REFUND],
  ['news', { amounts: [0, 0] }, delivered],
])('%s that was saved is not told before its workflow knows of it', { timeout: 120_000 }, async (_, wanted, lost) => {
  await system.startWorker();
  const id = await create(system, wanted);
  const { items } = await stored(system, id);
  await system.gateway.tellDelivery(id, { itemId: items[0]!.id, quantity: 1, by: MERCHANT, status: 'delivered' });
  const told = () => receiver.received.filter(({ body }) => body.data.id === id).map(({ body }) => body.type);
  const isTold = (types: readonly string[]) => expect.poll(told, { timeout: 60_000 }).toEqual(types);
  const before = ['order.created', 'order.paid', 'item.delivery_updated', 'order.processing'];
  await isTold(before);
  await saveAndBeLost(system, id, lost(items[1]!.id));
  const after = (await entries(id)).map(({ type }) => type);
  expect(after.length).toBeGreaterThan(before.length);
  await tellLater();
  expect(told()).toEqual(before);
  await system.gateway.lookAgain(id);
  await isTold(after);
});

const REFUND = {
  type: 'apply_refund',
  refund: 'ref_lost' as RefundId,
  ask: { type: 'all' },
  reason: 'broken',
  origin: 'merchant',
  applicant: 'key:x',
  by: MERCHANT,
} as const;
function delivered(item: ItemId) {
  return {
    type: 'delivery_reported',
    item,
    status: 'delivered',
    quantity: 1,
    dispatch: null,
    tracking: null,
    detail: null,
    by: MERCHANT,
  } as const;
}
