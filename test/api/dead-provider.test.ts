import { afterAll, beforeAll, expect, it } from 'vitest';
import { faults, noFaults, until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

/** One of two providers is dead: the other one, and every duty, goes on. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const create = async (more = {}): Promise<string> => (await api.call('POST /v1/orders', tea(more))).body.id;
const open = (id: string, method: string) => api.call(`POST /v1/orders/${id}/payments`, { method });
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const pay = (outTradeNo: string) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'pay' }),
  });

it('the order is paid by the other one; what was owed to the dead one is done when it is back (rule 1)', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => create()));
  for (const id of ids) expect((await open(id, 'alipay.qr')).status).toBe(201);
  await faults(api.system, { provider: 'alipay', error_rate: 1 });
  const seconds = await Promise.all(ids.map((id) => open(id, 'wechatpay.native')));
  expect(seconds.map(({ status }) => status)).toEqual(ids.map(() => 201));
  for (const { body } of seconds) await pay(body.out_trade_no);
  for (const id of ids) {
    const paid = await until(
      () => read(id),
      ({ status }) => status === 'paid',
    );
    expect(paid.payments).toMatchObject([{ status: 'pending' }, { status: 'succeeded' }]);
  }
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(metrics).toMatch(/orders_provider_call_duration_seconds_count\{[^}]*alipay[^}]*outcome="open"/);
  await noFaults(api.system);
  for (const id of ids)
    await until(
      () => read(id),
      ({ payments }) => payments[0].status === 'closed',
    );
});
