import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textsIn } from '../../chaos/leaks.ts';
import { faults, noFaults, until } from '../support/orders.ts';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
const CLIENT_IP = '203.0.113.77';
const create = async (more = {}): Promise<string> => (await api.call('POST /v1/orders', tea(more))).body.id;
const open = (id: string, body: object) => api.call(`POST /v1/orders/${id}/payments`, body);
const read = async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body;
const control = (outTradeNo: string, body: object) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
type Row = { out_trade_no: string; status: string; type: string; amount: number };
const listed = async (path: string): Promise<Row[]> => {
  const answer = await fetch(`${api.system.simulator.url}/_control/${path}`);
  return ((await answer.json()) as { data: Row[] }).data;
};
const buyersOf = (id: string) => api.system.db.selectFrom('buyers').selectAll().where('order_id', '=', id).execute();

describe.each([
  ['wechatpay.native', {}, 'qr'],
  ['wechatpay.jsapi', { payer_id: OPENID }, 'app'],
  ['wechatpay.mini', { payer_id: OPENID }, 'app'],
  ['wechatpay.h5', { client_ip: CLIENT_IP, return_url: 'https://shop.example.com/back' }, 'redirect'],
])('%s', (method, buyer, type) => {
  it('is opened, paid and refunded', async () => {
    const id = await create();
    const opened = await open(id, { method, ...buyer });
    expect(opened).toMatchObject({ status: 201, body: { method, status: 'pending', action: { type } } });
    const { out_trade_no, action } = opened.body;
    const wish = action.type === 'redirect' ? { action: 'pay', url: action.url } : { action: 'pay' };
    expect((await control(out_trade_no, wish)).status).toBe(200);
    await until(
      () => read(id),
      ({ status }) => status === 'paid',
    );
    const { body: refund } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken' });
    await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/approve`, {}, { key: 'op_test_demo' });
    const done = await until(
      () => read(id),
      ({ refund_status }) => refund_status === 'full',
    );
    expect(done).toMatchObject({ status: 'cancelled', cancel_reason: 'refunded', payments: [{ status: 'refunded' }] });
  });
});

it.each([
  ['wechatpay.jsapi', 'payer_id'],
  ['wechatpay.mini', 'payer_id'],
  ['wechatpay.h5', 'client_ip'],
])('%s needs %s', async (method, path) => {
  const answer = await open(await create(), { method });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path }] } });
});

it('a link into WeChat is good for five minutes, a code for two hours; neither for longer than the order', async () => {
  const id = await create({ expires_in: 86_400 });
  const lifeOf = (body: { expires_at: string }) => Math.round((Date.parse(body.expires_at) - Date.now()) / 60_000);
  expect(lifeOf((await open(id, { method: 'wechatpay.h5', client_ip: CLIENT_IP })).body)).toBe(5);
  expect(lifeOf((await open(id, { method: 'wechatpay.native' })).body)).toBe(120);
  const short = await create({ expires_in: 60 });
  expect(lifeOf((await open(short, { method: 'wechatpay.native' })).body)).toBe(1);
});

it('who pays, and from where, is kept sealed, stands in no history, and goes with the personal data', async () => {
  const id = await create();
  await open(id, { method: 'wechatpay.jsapi', payer_id: OPENID });
  await open(id, { method: 'wechatpay.h5', client_ip: CLIENT_IP });
  const kept = await buyersOf(id);
  expect(kept).toHaveLength(2);
  const payloads = textsIn(await api.system.client.workflow.getHandle(`order/${id}`).fetchHistory());
  expect(payloads.join()).toContain(kept[0]!.id);
  const rows = await api.system.db.selectFrom('orders').selectAll().where('id', '=', id).execute();
  for (const text of [payloads.join(), JSON.stringify(rows), JSON.stringify(kept)]) {
    expect(text).not.toContain(OPENID);
    expect(text).not.toContain(CLIENT_IP);
  }
  await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
  await until(
    () => read(id),
    ({ status }) => status === 'cancelled',
  );
  expect((await api.call(`DELETE /v1/orders/${id}/personal-data`, undefined, { key: 'op_test_demo' })).status).toBe(
    204,
  );
  expect(await buyersOf(id)).toEqual([]);
});

describe('several attempts', () => {
  const methods = [
    { method: 'wechatpay.native' },
    { method: 'wechatpay.jsapi', payer_id: OPENID },
    { method: 'wechatpay.mini', payer_id: OPENID },
    { method: 'wechatpay.h5', client_ip: CLIENT_IP },
  ];

  it('twenty at once leave at most one that is not closed or being closed (scenario 8)', async () => {
    const id = await create();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => open(id, methods[n % 4]!)));
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const settled = await until(
      () => read(id),
      ({ payments }) => payments.filter(({ status }: { status: string }) => status === 'pending').length === 1,
    );
    const data = await listed(`payments?order=${id}`);
    const openThere = data.filter(({ status }) => status === 'pending');
    expect(openThere).toHaveLength(1);
    const live = settled.payments.find(({ status }: { status: string }) => status === 'pending');
    expect(openThere[0]!.out_trade_no).toBe(live.out_trade_no);
  });

  it('found paid when it is closed: the order is paid, and the new one is closed (scenario 10)', async () => {
    const id = await create();
    const first = (await open(id, { method: 'wechatpay.native' })).body;
    await faults(api.system, { drop_notices: true });
    await control(first.out_trade_no, { action: 'pay' });
    await noFaults(api.system);
    const second = await open(id, { method: 'wechatpay.h5', client_ip: CLIENT_IP });
    expect(second.status).toBe(409);
    const paid = await until(
      () => read(id),
      ({ payments }) => payments.every(({ status }: { status: string }) => status !== 'pending'),
    );
    expect(paid).toMatchObject({ status: 'paid', payments: [{ status: 'succeeded' }, { status: 'closed' }] });
  });

  it('both paid all the same: one is kept, the other goes back in full by itself (scenario 7)', async () => {
    const id = await create();
    const first = (await open(id, { method: 'wechatpay.native' })).body;
    const second = (await open(id, { method: 'wechatpay.jsapi', payer_id: OPENID })).body;
    await control(second.out_trade_no, { action: 'pay' });
    await until(
      () => read(id),
      ({ status }) => status === 'paid',
    );
    await control(first.out_trade_no, { action: 'pay', force: true });
    const settled = await until(
      () => read(id),
      ({ refunds }) => refunds.some(({ status }: { status: string }) => status === 'succeeded'),
    );
    expect(settled).toMatchObject({
      status: 'paid',
      refund_status: 'none',
      amounts: { paid: 3000, refunded: 0 },
      payments: [{ status: 'refunded' }, { status: 'succeeded' }],
      refunds: [{ origin: 'duplicate_payment', amount: 3000, status: 'succeeded' }],
    });
    const data = await listed('ledger');
    const ours = data.filter(({ out_trade_no }) => [first.out_trade_no, second.out_trade_no].includes(out_trade_no));
    const net = ours.reduce((sum, row) => sum + (row.type === 'capture' ? row.amount : -row.amount), 0);
    expect(net).toBe(3000);
  });
});
