import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutToken } from '../../api/checkout-token.ts';
import { createSealer } from '../../db/sealed.ts';
import { until } from '../support/orders.ts';
import { addKey, anotherApi, OPERATOR_KEY, OTHER_KEY, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const order = async (more = {}, key?: string) =>
  (await api.call('POST /v1/orders', tea(more), key ? { key } : {})).body;
const found = async (query: string, key?: string): Promise<string[]> => {
  const { status, body } = await api.call(`GET /v1/orders?${query}`, undefined, key ? { key } : {});
  expect(status).toBe(200);
  return body.data.map(({ id }: { id: string }) => id);
};

describe('an order is found', () => {
  it('by its customer, among the orders of its merchant only', async () => {
    const first = await order({ customer: { id: 'u-finding' } });
    const second = await order({ customer: { id: 'u-finding', email: 'a@example.com' } });
    const others = await order({ customer: { id: 'u-finding' } }, OTHER_KEY);
    await order({ customer: { id: 'u-finding-2' } });
    await order({ customer: { id: null, email: 'u-finding' } });
    expect(await found('customer_id=u-finding')).toEqual([second.id, first.id]);
    expect(await found('customer_id=u-finding', OTHER_KEY)).toEqual([others.id]);
    expect(await found('customer_id=u-nobody')).toEqual([]);
  });

  it('by its customer after the keys were rotated, the new ones and the old', async () => {
    const old = await order({ customer: { id: 'u-rotated' } });
    const keys = [
      { id: 'k2', key: Buffer.alloc(32, 9) },
      { id: 'k1', key: Buffer.alloc(32, 7) },
    ];
    const rotated = anotherApi(api, { sealer: createSealer(keys) });
    const young = (await rotated('POST /v1/orders', tea({ customer: { id: 'u-rotated' } }))).body;
    const { body } = await rotated('GET /v1/orders?customer_id=u-rotated');
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual([young.id, old.id]);
  });

  it('by its customer no more once its personal data is erased', async () => {
    const { id } = await order({ customer: { id: 'u-erased' } });
    await api.call(`POST /v1/orders/${id}/cancel`, {});
    await until(
      async () => (await api.call(`DELETE /v1/orders/${id}/personal-data`)).status,
      (status) => status === 204,
    );
    expect(await found('customer_id=u-erased')).toEqual([]);
  });

  it('by its number', async () => {
    const { id, number } = await order();
    expect(await found(`number=${number}`)).toEqual([id]);
    expect(await found(`number=${number}`, OTHER_KEY)).toEqual([]);
    const answer = await api.call('GET /v1/orders?number=A-1');
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'number' }] } });
  });
});

describe('the link to the checkout', () => {
  it('is given to keys with orders:write and to the customer, and to nobody else', async () => {
    const { id, checkout_url } = await order();
    const token = checkoutToken(api.sealer, id);
    expect(checkout_url).toBe(`${api.url}/pay/${id}?token=${token}`);
    const url = async (key: string) => (await api.call(`GET /v1/orders/${id}`, undefined, { key })).body.checkout_url;
    expect(await url(token)).toBe(checkout_url);
    expect(await url(OPERATOR_KEY)).toBeNull();
    expect(await url(await addKey(api.system, 'sk_reads', ['orders:read']))).toBeNull();
  });
});

describe('whose key it is', () => {
  it('is told to its holder', async () => {
    const me = async (key: string) => (await api.call('GET /v1/me', undefined, { key })).body;
    expect(await me(OPERATOR_KEY)).toMatchObject({
      type: 'operator',
      name: 'Demo Operator',
      merchant: { id: 'demo' },
      scopes: expect.arrayContaining(['refunds:review']),
      order_id: null,
    });
    expect(await me(OTHER_KEY)).toMatchObject({ type: 'merchant', merchant: { id: 'other', name: 'Other Shop' } });
    const { id } = await order();
    expect(await me(checkoutToken(api.sealer, id))).toMatchObject({ type: 'customer', scopes: [], order_id: id });
  });
});

describe('statistics', () => {
  const counted = async (query: string, key?: string) =>
    api.call(`GET /v1/statistics?${query}`, undefined, key ? { key } : {});
  const buyerPays = async (id: string) => {
    const { body } = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
    await fetch(`${api.system.simulator.url}/_control/payments/${body.out_trade_no}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'pay' }),
    });
  };

  it('count what happened in a time, to this merchant', async () => {
    const from = new Date().toISOString();
    const paid = await order();
    await order({ expires_in: 1 });
    await buyerPays(paid.id);
    await order({ test: true, items: [{ name: 'Tea', quantity: 1, unit_amount: 700, fulfilment: 'digital' }] });
    const reads = async () => (await api.call(`GET /v1/orders/${paid.id}`)).body;
    await until(reads, ({ status }) => status === 'paid');
    const refund = await api.call(`POST /v1/orders/${paid.id}/refunds`, { reason: 'broken', amount: 1000 });
    await api.call(`POST /v1/orders/${paid.id}/refunds/${refund.body.id}/approve`, {}, { key: OPERATOR_KEY });
    const to = new Date(Date.parse(from) + 86_400_000).toISOString();
    const { body } = await until(
      () => counted(`from=${from}&to=${to}`),
      ({ body: seen }) => seen.expired === 1 && seen.refunded.length === 1,
    );
    expect(body).toEqual({
      from,
      to,
      orders: 3,
      expired: 1,
      paid: [{ currency: 'CNY', method: 'wechatpay.native', count: 1, amount: 3000 }],
      refunded: [{ currency: 'CNY', count: 1, amount: 1000 }],
      waiting: { refunds: 0, attention: 0 },
    });
    const nothing = { orders: 0, expired: 0, paid: [], refunded: [] };
    expect((await counted(`from=${from}&to=${to}`, OTHER_KEY)).body).toMatchObject(nothing);
    const before = new Date(Date.parse(from) - 1000).toISOString();
    expect((await counted(`from=${before}&to=${from}`)).body.paid).toEqual([]);
  });

  it.each([
    ['from=2026-03-01T00:00:00Z', 'to'],
    ['from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z', 'to'],
    ['from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:01Z', 'to'],
    ['from=yesterday&to=2026-04-01T00:00:00Z', 'from'],
  ])('of %s are refused', async (query, path) => {
    expect(await counted(query)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});
