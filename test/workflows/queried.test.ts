import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderView } from '../../domain/view.ts';
import { MERCHANT, paid, stored, until } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

/** Who looks changes nothing: docs/adr/0025-queries.md. */

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
afterAll(() => system?.stop());

it('an order at work is asked only once that is done, and then answers with it', async () => {
  const { db, gateway } = system;
  const { id } = await paid(system);
  const [item] = (await stored(system, id)).items;
  const isAtWork = (wanted: boolean) =>
    until(
      () => gateway.stateOf(id),
      (state) => (state === 'at work') === wanted,
    );
  await isAtWork(false);
  let asked: Promise<OrderView | null> | undefined;
  await db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('orders').select('id').where('id', '=', id).forUpdate().execute();
    await gateway.tellDelivery(id, { itemId: item!.id, status: 'delivering', by: MERCHANT });
    await isAtWork(true);
    asked = gateway.live(id);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });
  expect(await asked).toMatchObject({ items: [{ delivery: { status: 'delivering' } }, {}] });
});
