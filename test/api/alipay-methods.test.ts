import { AlipaySdk } from 'alipay-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateKey } from '../simulator/support.ts';
import { faults, noFaults, until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const create = async (more = {}): Promise<string> => (await api.call('POST /v1/orders', tea(more))).body.id;
const open = (id: string, body: object) => api.call(`POST /v1/orders/${id}/payments`, body);
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const control = (outTradeNo: string, body: object) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
type Row = { out_trade_no: string; type: string; amount: number };
const ledgerOf = async (outTradeNo: string): Promise<[string, number][]> => {
  const answer = await fetch(`${api.system.simulator.url}/_control/ledger`);
  const { data } = (await answer.json()) as { data: Row[] };
  return data.filter((row) => row.out_trade_no === outTradeNo).map(({ type, amount }) => [type, amount]);
};
const refund = async (id: string, more = {}) => {
  const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken', ...more });
  await api.call(`POST /v1/orders/${id}/refunds/${body.id}/approve`, {}, { key: 'op_test_demo' });
};
const when = (id: string, isSo: (order: any) => boolean) => until(() => read(id), isSo);
const isPaid = ({ status }: { status: string }) => status === 'paid';

describe.each([
  ['alipay.page', 'redirect'],
  ['alipay.wap', 'redirect'],
  ['alipay.qr', 'qr'],
])('%s', (method, type) => {
  it('is opened, paid and refunded in parts', async () => {
    const id = await create();
    const opened = await open(id, { method, ...(type === 'redirect' && { return_url: 'https://shop.example.com/b' }) });
    expect(opened).toMatchObject({ status: 201, body: { method, status: 'pending', action: { type } } });
    const { out_trade_no, action } = opened.body;
    expect((await control(out_trade_no, { action: 'pay', ...(action.url && { url: action.url }) })).status).toBe(200);
    expect(await when(id, isPaid)).toMatchObject({ payments: [{ status: 'succeeded' }] });
    await refund(id, { amount: 1000 });
    await when(id, ({ refund_status }) => refund_status === 'partial');
    await refund(id);
    const done = await when(id, ({ refund_status }) => refund_status === 'full');
    expect(done).toMatchObject({ status: 'cancelled', cancel_reason: 'refunded', payments: [{ status: 'refunded' }] });
    expect(await ledgerOf(out_trade_no)).toEqual([
      ['capture', 3000],
      ['refund', 1000],
      ['refund', 2000],
    ]);
  });

  it('paid, though no notice came', async () => {
    const id = await create();
    const { out_trade_no, action } = (await open(id, { method })).body;
    await faults(api.system, { provider: 'alipay', drop_notices: true });
    await control(out_trade_no, { action: 'pay', ...(action.url && { url: action.url }) });
    await noFaults(api.system);
    expect((await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'too slow' })).status).toBe(202);
    expect(await read(id)).toMatchObject({ amounts: { paid: 3000 }, payments: [{ status: 'succeeded' }] });
  });
});

describe('alipay.barcode', () => {
  const barcode = (last: string) => ({ method: 'alipay.barcode', auth_code: `28763443825664394${last}` });

  it('is paid at once', async () => {
    const id = await create();
    expect(await open(id, barcode('1'))).toMatchObject({
      status: 201,
      body: { method: 'alipay.barcode', action: null },
    });
    const { payments } = await when(id, isPaid);
    await refund(id);
    await when(id, ({ refund_status }) => refund_status === 'full');
    expect(await ledgerOf(payments[0].out_trade_no)).toEqual([
      ['capture', 3000],
      ['refund', 3000],
    ]);
  });

  it('waits for the password', async () => {
    const id = await create();
    const { out_trade_no } = (await open(id, barcode('8'))).body;
    await when(id, ({ status }) => status === 'paying');
    await control(out_trade_no, { action: 'pay' });
    await when(id, isPaid);
  });

  it('is refused', async () => {
    const id = await create();
    const { status, body } = await open(id, barcode('9'));
    expect([status, body.status]).toEqual([201, 'failed']);
    expect(body.failure).toContain('ACQ.BUYER_BALANCE_NOT_ENOUGH');
  });
});

it('a forged notice, or one too large, changes nothing (rule 4)', async () => {
  const id = await create();
  const { out_trade_no } = (await open(id, { method: 'alipay.qr' })).body;
  const told = { out_trade_no, trade_status: 'TRADE_SUCCESS', total_amount: '30.00', sign: 'AAAA', sign_type: 'RSA2' };
  const send = (body: string) =>
    fetch(`${api.url}/webhooks/alipay/demo`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  const answer = await send(new URLSearchParams(told).toString());
  expect([answer.status, await answer.text()]).toEqual([401, 'fail']);
  expect((await send('x'.repeat(70_000))).status).toBe(413);
  expect((await read(id)).status).toBe('pending_payment');
});

it('leads the buyer’s browser back with what the SDK verifies', async () => {
  const id = await create();
  const { action, out_trade_no } = (await open(id, { method: 'alipay.page', return_url: 'https://shop.example.com/b' }))
    .body;
  await control(out_trade_no, { action: 'pay', url: action.url });
  const cashier = await (await fetch(action.url)).text();
  const back = /<a href="([^"]+\/alipay\/return\/[^"]+)"/.exec(cashier)![1]!;
  const location = (await fetch(back, { redirect: 'manual' })).headers.get('location') ?? '';
  const params = Object.fromEntries(new URL(location).searchParams);
  const sdk = new AlipaySdk({
    appId: '2021000000000001',
    privateKey: privateKey('alipay_app'),
    keyType: 'PKCS8',
    alipayPublicKey: api.system.simulator.alipay.publicKeyPem,
  });
  expect(sdk.checkNotifySignV2(params)).toBe(true);
  expect(params).toMatchObject({ out_trade_no, total_amount: '30.00' });
});
