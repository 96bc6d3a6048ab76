import { afterAll, beforeAll, expect, it } from 'vitest';
import { faults, noFaults, until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const METHOD = 'card.stripe';
const create = async (more = {}): Promise<string> => (await api.call('POST /v1/orders', tea(more))).body.id;
const open = async (id: string) => (await api.call(`POST /v1/orders/${id}/payments`, { method: METHOD })).body;
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const when = (id: string, isSo: (order: any) => boolean) => until(() => read(id), isSo);
const control = (outTradeNo: string, body: object) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
type Row = { out_trade_no: string; type: string; amount: number; currency: string };
const ledgerOf = async (outTradeNo: string) => {
  const answer = await fetch(`${api.system.simulator.url}/_control/ledger`);
  const { data } = (await answer.json()) as { data: Row[] };
  return data
    .filter((row) => row.out_trade_no === outTradeNo)
    .map(({ type, amount, currency }) => [type, amount, currency]);
};
const refund = async (id: string, more = {}) => {
  const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken', ...more });
  await api.call(`POST /v1/orders/${id}/refunds/${body.id}/approve`, {}, { key: 'op_test_demo' });
};

it.each(['CNY', 'USD'])('in %s: opened, declined, paid all the same, refunded in parts', async (currency) => {
  const id = await create({ currency });
  const opened = await open(id);
  expect(opened).toMatchObject({ method: METHOD, status: 'pending', action: { type: 'redirect' } });
  expect(await (await fetch(opened.action.url)).text()).toContain('支付 Pay');
  await control(opened.out_trade_no, { action: 'fail' });
  await when(id, ({ payments }) => payments[0].status === 'failed');
  await control(opened.out_trade_no, { action: 'pay' });
  expect(await when(id, ({ status }) => status === 'paid')).toMatchObject({ payments: [{ status: 'succeeded' }] });
  await refund(id, { amount: 1000 });
  await when(id, ({ refund_status }) => refund_status === 'partial');
  await refund(id);
  const done = await when(id, ({ refund_status }) => refund_status === 'full');
  expect(done).toMatchObject({ status: 'cancelled', cancel_reason: 'refunded', payments: [{ status: 'refunded' }] });
  expect(await ledgerOf(opened.out_trade_no)).toEqual([
    ['capture', 3000, currency],
    ['refund', 1000, currency],
    ['refund', 2000, currency],
  ]);
});

it('cancelled: the session can be paid no more', async () => {
  const id = await create();
  const { out_trade_no } = await open(id);
  expect((await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'no' })).status).toBe(200);
  expect(await read(id)).toMatchObject({ status: 'cancelled', payments: [{ status: 'closed' }] });
  expect((await control(out_trade_no, { action: 'pay' })).status).toBe(409);
});

it('paid, though no event came', async () => {
  const id = await create();
  const { out_trade_no } = await open(id);
  await faults(api.system, { provider: 'stripe', drop_notices: true });
  await control(out_trade_no, { action: 'pay' });
  await noFaults(api.system);
  expect((await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'too slow' })).status).toBe(202);
  expect(await read(id)).toMatchObject({ amounts: { paid: 3000 }, payments: [{ status: 'succeeded' }] });
});

it('a forged event, or one too large, changes nothing (rule 4)', async () => {
  const id = await create();
  const { out_trade_no } = await open(id);
  const object = { id: 'pi_1', metadata: { out_trade_no }, amount_received: 3000, currency: 'cny' };
  const send = (body: string) =>
    fetch(`${api.url}/webhooks/stripe/demo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': `t=${Math.floor(Date.now() / 1000)},v1=00` },
      body,
    });
  expect((await send(JSON.stringify({ type: 'payment_intent.succeeded', data: { object } }))).status).toBe(401);
  expect((await send('x'.repeat(70_000))).status).toBe(413);
  expect((await read(id)).status).toBe('pending_payment');
});
