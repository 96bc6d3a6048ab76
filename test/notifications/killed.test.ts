import { afterAll, beforeAll, expect, it } from 'vitest';
import { putEndpoint, sealSecrets } from '../../db/endpoints.ts';
import { listNotifications } from '../../db/notifications.ts';
import { newSecret } from '../../wire/standard-webhooks.ts';
import { startDoomed } from '../support/doomed.ts';
import { createUnstarted } from '../support/orders.ts';
import { SEALER } from '../support/sealer.ts';
import { startSystem, type System } from '../support/system.ts';
import { startReceiver, type Receiver } from './receiver.ts';

let system: System;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
  await receiver?.stop();
});

it('a message is told again by another worker when the first was killed over it', { timeout: 300_000 }, async () => {
  receiver.respond = (response, _, count) => {
    if (count > 1) response.writeHead(204).end();
  };
  const secrets = sealSecrets(SEALER, 'whe_of_killed', [{ secret: newSecret(), until: null }]);
  await putEndpoint(
    system.db,
    { id: 'whe_of_killed', merchant: 'demo', url: `${receiver.url}/`, types: null, secrets },
    20,
  );
  const { order } = await createUnstarted(system);

  const doomed = await startDoomed(system, 0);
  await system.notifiers.tell('whe_of_killed');
  await expect.poll(() => receiver.received.length, { timeout: 90_000 }).toBe(1);
  doomed.kill();
  await doomed.dead;

  await system.startWorker();
  await expect.poll(() => receiver.received.length, { timeout: 90_000 }).toBe(2);
  const [first, second] = receiver.received;
  expect(second!.text).toBe(first!.text);
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  const listed = () => listNotifications(system.db, { merchant: 'demo', order: order.id, limit: 10 });
  await expect.poll(async () => (await listed())[0]!.status, { timeout: 90_000 }).toBe('delivered');
  expect((await listed())[0]!.attempts).toMatchObject([
    { status: null, duration_ms: null },
    { status: 204, error: null },
  ]);
});
