import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiDeps } from '../../api/env.ts';
import { findOrder } from '../../db/orders.ts';
import type { Wish } from '../../domain/commands.ts';
import type { OrderId } from '../../domain/ids.ts';
import { replay } from '../support/histories.ts';
import { saveAndBeLost } from '../support/lost.ts';
import { MERCHANT, OPERATOR, until } from '../support/orders.ts';
import { Shop } from './shop.ts';

/** Scenarios 4 and 18: Temporal or the worker is away, and what came meanwhile is not lost. */

let isAway = false;
let losesTasks = false;
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
      isAway ? Promise.reject(away()) : call(...args);
  const ask = async (id: OrderId, wish: Wish, key?: string) => {
    if (!losesTasks) return gateway.ask(id, wish, key);
    await saveAndBeLost(shop.api.system, id, wish);
    throw away();
  };
  const start = unlessAway<Parameters<typeof gateway.start>, string>((...args) => gateway.start(...args));
  const tellNotice = unlessAway<Parameters<typeof gateway.tellNotice>, void>((...args) => gateway.tellNotice(...args));
  return { gateway: { ...gateway, ask, start, tellNotice } };
};
const away = () => Object.assign(new Error('Temporal is away'), { code: 14, details: '', metadata: {} });

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

describe('a decision that was saved, and lost with Temporal', () => {
  const decidedAsItWasLost = async () => {
    const sale = await shop.sold();
    const refund = await sale.applies({ amount: 900 });
    losesTasks = true;
    expect((await sale.decides(refund, 'approve')).status).toBe(503);
    losesTasks = false;
    await until(stored(sale.id), (order) => order?.row.doubted_at !== null);
    return { sale, refund };
  };
  /** The API was lost, too: nobody is in doubt. */
  const approvedAndLost = async () => {
    const sale = await shop.sold();
    const refund = await sale.applies({ amount: 900 });
    await saveAndBeLost(shop.api.system, sale.id as OrderId, {
      type: 'review_refund',
      refund: refund.id,
      decision: 'approve',
      reviewer: OPERATOR,
      note: null,
      by: MERCHANT,
    });
    return { sale, refund };
  };
  const stored = (id: string) => () => findOrder(shop.api.system.db, id, null);

  it('counts, though nobody says another word', async () => {
    const { sale, refund } = await decidedAsItWasLost();
    await sale.refundBecomes(refund.id, 'succeeded', 60_000);
    expect([await sale.happened('refund.reviewed'), await sale.happened('refund.succeeded')]).toEqual([1, 1]);
    expect((await sale.call('GET', '?live=true')).body).toEqual(await sale.read());
    const looked = await until(stored(sale.id), (order) => order?.row.doubted_at === null);
    expect(looked?.row.doubted_at).toBeNull();
    await replay(shop.api.system, sale.id as OrderId, 'in-doubt');
  });

  it('counts, though the API was lost with it, so that nobody is in doubt', async () => {
    const { sale, refund } = await approvedAndLost();
    await sale.refundBecomes(refund.id, 'succeeded', 60_000);
    expect(await sale.happened('refund.reviewed')).toBe(1);
    expect((await sale.call('GET', '?live=true')).body).toEqual(await sale.read());
    const proven = await until(stored(sale.id), (order) => order?.row.unproven_since === null, 60_000);
    expect(proven?.row.unproven_since).toBeNull();
  });

  it('counts, though something else happens before anybody looks', async () => {
    const { sale, refund } = await approvedAndLost();
    const [item] = sale.created.items;
    await shop.api.system.gateway.tellDelivery(sale.id as OrderId, {
      itemId: item.id,
      status: 'delivering',
      by: MERCHANT,
    });
    await sale.refundBecomes(refund.id, 'succeeded', 60_000);
    expect(await sale.happened('refund.reviewed')).toBe(1);
    expect((await sale.read()).items[0].delivery.status).toBe('delivering');
    expect((await sale.call('GET', '?live=true')).body).toEqual(await sale.read());
  });

  it('counts, though somebody wishes something else before anybody looks', async () => {
    const { sale, refund } = await approvedAndLost();
    const other = await sale.applies({ amount: 100 });
    await sale.refundBecomes(refund.id, 'succeeded', 60_000);
    expect([await sale.happened('refund.reviewed'), await sale.happened('refund.requested')]).toEqual([1, 2]);
    expect((await sale.read()).refunds).toMatchObject([{ id: refund.id }, { id: other.id, status: 'requested' }]);
    expect((await sale.call('GET', '?live=true')).body).toEqual(await sale.read());
    await replay(shop.api.system, sale.id as OrderId, 'another-wish-after-lost');
  });

  it('counts, though it was the first that its order heard of', async () => {
    const sale = await shop.sells();
    await until(stored(sale.id), (order) => order?.row.run_id !== null);
    const wish = { type: 'open_payment', method: 'alipay.page', by: MERCHANT } as const;
    await saveAndBeLost(shop.api.system, sale.id as OrderId, wish);
    const opened = await until(stored(sale.id), (order) => order!.order.payments[0]!.action !== null, 60_000);
    expect(opened!.order.payments).toMatchObject([{ method: 'alipay.page', status: 'pending' }]);
    expect((await sale.call('GET', '?live=true')).body).toEqual(await sale.read());
  });

  it('is made when it is repeated', async () => {
    const { sale, refund } = await decidedAsItWasLost();
    expect((await sale.decides(refund, 'approve')).status).toBe(200);
    await sale.refundBecomes(refund.id, 'succeeded', 5_000);
    expect([await sale.happened('refund.reviewed'), await sale.happened('refund.succeeded')]).toEqual([1, 1]);
  });
});

describe('while no worker is there', () => {
  it('notices are accepted, and told once one is back, also if their account is gone by then (18)', async () => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    await shop.api.worker.stop();
    expect(await sale.buyer(payment, 'pay')).toBe(200);
    const { db } = shop.api.system;
    const kept = () => db.selectFrom('notices').select('processed_at').where('order_id', '=', sale.id).execute();
    expect(await until(kept, (notices) => notices.length > 0)).toEqual([{ processed_at: null }]);
    expect(new Set(shop.letterbox.letters.map(({ answered }) => answered))).toEqual(new Set([204]));
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
