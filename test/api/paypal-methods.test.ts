import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults, noFaults, until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const method = 'paypal.checkout';
const create = async (more = {}): Promise<string> =>
  (await api.call('POST /v1/orders', tea({ currency: 'USD', ...more }))).body.id;
const open = (id: string) => api.call(`POST /v1/orders/${id}/payments`, { method });
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const statusIs =
  (wanted: string) =>
  ({ status }: any): boolean =>
    status === wanted;
const control = (outTradeNo: string, body: object) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
type Row = { out_trade_no: string; type: string; amount: number; currency: string };
async function ledgerOf(outTradeNo: string): Promise<Row[]> {
  const answer = await fetch(`${api.system.simulator.url}/_control/ledger`);
  return ((await answer.json()) as { data: Row[] }).data.filter((row) => row.out_trade_no === outTradeNo);
}

async function paidOrder() {
  const id = await create();
  const { body } = await open(id);
  await control(body.out_trade_no, { action: 'pay' });
  const paid = await until(() => read(id), statusIs('paid'));
  return { id, number: body.out_trade_no as string, paid };
}

async function refundAll(id: string) {
  const { body: refund } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken' });
  await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/approve`, {}, { key: 'op_test_demo' });
  return until(
    () => read(id),
    ({ refund_status }) => refund_status === 'full',
  );
}

describe('paypal.checkout', () => {
  it('is opened, approved, captured by itself, and refunded', async () => {
    const id = await create();
    const opened = await open(id);
    expect(opened).toMatchObject({ status: 201, body: { method, status: 'pending', action: { type: 'redirect' } } });
    const { out_trade_no, action } = opened.body;
    expect((await fetch(action.url)).status).toBe(200);
    expect((await control(out_trade_no, { action: 'pay' })).status).toBe(200);
    const paid = await until(() => read(id), statusIs('paid'));
    expect(paid.payments).toMatchObject([
      { status: 'succeeded', provider_trade_no: expect.stringMatching(/^[A-Z0-9]{17}$/) },
    ]);
    const done = await refundAll(id);
    expect(done).toMatchObject({ status: 'cancelled', cancel_reason: 'refunded', payments: [{ status: 'refunded' }] });
    expect(await ledgerOf(out_trade_no)).toMatchObject([
      { type: 'capture', amount: 3000, currency: 'USD' },
      { type: 'refund', amount: 3000, currency: 'USD' },
    ]);
  });

  it('opened again is the same order', async () => {
    const id = await create();
    const [first, second] = [await open(id), await open(id)];
    expect(second.body).toEqual(first.body);
  });

  it('a refund whose answer was lost, and that takes its time, is made once', async () => {
    const { id, number } = await paidOrder();
    await faults(api.system, { timeout_rate: 0.5, refund_delay_ms: 500 });
    const done = refundAll(id);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await noFaults(api.system);
    await done;
    expect(await ledgerOf(number)).toMatchObject([{ type: 'capture' }, { type: 'refund', amount: 3000 }]);
  });

  it('a declined card can be followed by one that pays', async () => {
    const id = await create();
    const { body } = await open(id);
    await control(body.out_trade_no, { action: 'fail' });
    await until(
      () => read(id),
      ({ payments }) => payments[0].status === 'failed',
    );
    await control(body.out_trade_no, { action: 'pay' });
    await until(() => read(id), statusIs('paid'));
  });

  it('approved after the order was cancelled is never captured', async () => {
    const id = await create();
    const { body } = await open(id);
    await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
    await until(() => read(id), statusIs('cancelled'));
    await control(body.out_trade_no, { action: 'pay' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await read(id)).toMatchObject({ status: 'cancelled', refunds: [] });
    expect(await ledgerOf(body.out_trade_no)).toEqual([]);
  });

  it('is offered in dollars only', async () => {
    const id = await create({ currency: 'CNY' });
    expect(await open(id)).toMatchObject({ status: 422, body: { reason: 'currency_not_supported' } });
  });
});

it('a notice that PayPal did not sign gets 401', async () => {
  const body = JSON.stringify({ id: 'WH-1', event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: {} });
  const headers = {
    'content-type': 'application/json',
    'paypal-auth-algo': 'SHA256withRSA',
    'paypal-cert-url': 'https://evil.example/v1/notifications/certs/x',
    'paypal-transmission-id': 'x',
    'paypal-transmission-time': 'x',
    'paypal-transmission-sig': 'x',
  };
  expect((await fetch(`${api.url}/webhooks/paypal/demo`, { method: 'POST', headers, body })).status).toBe(401);
});
