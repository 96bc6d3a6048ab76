import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

it('works', async () => {
  const created = await api.call('POST /v1/orders', tea());
  console.log(JSON.stringify(created.body, null, 1));
  expect(created.status).toBe(201);
  const paid = await api.call(`POST /v1/orders/${created.body.id}/payments`, { method: 'wechatpay.native' });
  console.log(paid.status, paid.body);
  const got = await api.call(`GET /v1/orders/${created.body.id}`);
  console.log(got.body.status, got.body.payments, got.headers);
});
