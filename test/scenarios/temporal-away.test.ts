import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiDeps } from '../../api/env.ts';
import { Shop } from './shop.ts';

/** Scenarios 4 and 18: Temporal or the worker is away, and what came meanwhile is not lost. */

let isAway = false;
let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open(reachingTemporalSometimes);
});
afterAll(() => shop?.close());

/** An API that reaches its database, but at times not Temporal. */
const reachingTemporalSometimes = ({ gateway }: ApiDeps): Partial<ApiDeps> => {
  const unlessAway =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      isAway ? Promise.reject(Object.assign(new Error('Temporal is away'), { code: 14 })) : call(...args);
  const start = unlessAway<Parameters<typeof gateway.start>, string>((...args) => gateway.start(...args));
  const tellNotice = unlessAway<Parameters<typeof gateway.tellNotice>, void>((...args) => gateway.tellNotice(...args));
  return { gateway: { ...gateway, start, tellNotice } };
};

describe.concurrent('where the API does not reach Temporal, an order', () => {
  beforeAll(() => void (isAway = true));
  afterAll(() => void (isAway = false));

  it('is created, and starts by itself shortly afterwards: it can be paid (4), its notice is safe (18)', async () => {
    const sale = await shop.sells();
    await sale.pays();
    await sale.isPaid(60_000);
    expect(shop.letterbox.letters.map(({ answered }) => answered)).toContain(204);
    expect((await sale.read()).workflow.run_id).toEqual(expect.any(String));
  });
  it('is created, and expires (4)', async () => {
    const sale = await shop.sells({ expires_in: 10 });
    expect(await sale.isCancelled(60_000)).toMatchObject({ cancel_reason: 'expired' });
  });
});

describe('while no worker is there', () => {
  it('notices are accepted, and told once one is back, also if their account is gone by then (18)', async () => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    await shop.api.worker.stop();
    expect(await sale.buyer(payment, 'pay')).toBe(200);
    await shop.noticed([204]);
    expect((await sale.read()).status).toBe('pending_payment');
    await shop.api.system.db.deleteFrom('provider_accounts').execute();
    await shop.api.system.startWorker();
    expect(await sale.isPaid(60_000)).toMatchObject({ status: 'paid' });
    expect(
      (await sale.call('POST', `/items/${sale.created.items[0].id}/delivery`, { status: 'delivered' })).status,
    ).toBe(200);
    expect(await sale.happened('order.paid')).toBe(1);
  });
});
