import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Refused } from '../../../client/refused.ts';
import { putApplication } from '../../../db/applications.ts';
import { replay } from '../../support/histories.ts';
import { faults, control, noFaults, until } from '../../support/orders.ts';
import { anotherApi, machine, MERCHANT_KEY, OPERATOR_KEY, startApi, tea, type TestApi } from '../support.ts';

let api: TestApi;
/** Machines that no other test uses. */
const MACHINES = Array.from({ length: 90 }, (_, index) => String(16_330_000 + index));
const OURS = { appid: 'ds_test', appsecret: 'ds_test_secret' };
const THEIRS = { appid: 'ds_theirs', appsecret: 'ds_theirs_secret' };
const FOREIGN = { appid: 'ds_foreign', appsecret: 'ds_foreign_secret' };
beforeAll(async () => {
  api = await startApi();
  const add = (merchant: string, { appid, appsecret }: typeof OURS, machines: string[]) =>
    putApplication(api.system.db, { id: appid, merchant, name: appid, secret: appsecret, machines });
  await add('demo', OURS, MACHINES);
  await add('demo', THEIRS, MACHINES);
  await add('other', FOREIGN, MACHINES);
});
afterAll(() => api?.stop());
afterEach(async () => {
  await noFaults(api.system);
});

let used = 0;
const freshMachine = () => MACHINES[used++]!;
let trades = 0;
const freshTrade = () => `T${process.pid}-${trades++}`;
const now = () => String(Math.floor(Date.now() / 1000));
const encoded = (payload: unknown) =>
  JSON.stringify({ payload: Buffer.from(JSON.stringify(payload)).toString('base64') });

/** Sends as the source's example does: no content type, no bearer. */
async function send(path: string, raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = OURS) {
  const { status, body } = await api.call(`POST /api/openapi/v1/orders${path}`, undefined, {
    key: null,
    raw,
    headers: { 'content-type': 'text/plain', ...headers },
  });
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(['code', 'message', 'data']);
  return body;
}
const failure = (code: number, message: string) => ({ code, message, data: {} });
const UNKNOWN = failure(40003, '认证失败');
const INVALID = failure(40001, '参数错误');
const UNTIMELY = failure(40002, '时间戳无效');
const NOT_FOUND = failure(40004, '订单不存在');
const EXPIRED = failure(40005, '订单已过期');
const BROKEN = failure(50000, '系统错误');

const PRODUCTS = [121, 122, 131].map((product_id) => ({ product_id, quantity: 1, price: '1.00' }));
type Wanted = Record<string, unknown> & { machine_no: string };
const wanted = (more: Record<string, unknown> = {}): Wanted => ({
  machine_no: freshMachine(),
  timestamp: now(),
  trade_id: freshTrade(),
  products: PRODUCTS,
  ...more,
});
const order = (payload: unknown, headers?: Record<string, string>) => send('', encoded(payload), headers);
const query = (id: number | string, machine_no: string, headers?: Record<string, string>) =>
  send(`/${id}`, encoded({ machine_no, timestamp: now() }), headers);

/** An order as ordered, and its place: `read` queries it, `native` reads it by the REST API. */
async function ordered(more: Record<string, unknown> = {}) {
  const payload = wanted(more);
  const { code, message, data } = await order(payload);
  expect([code, message]).toEqual([0, 'ok']);
  const native = async () => (await api.call(`GET /v1/orders?number=${data.order_id}`)).body.data[0];
  const { id } = await native();
  const read = async () => (await query(data.order_id, payload.machine_no)).data;
  return { payload, data, id, native, read };
}
type Ordered = Awaited<ReturnType<typeof ordered>>;

async function paid(more: Record<string, unknown> = {}, machineMode?: Record<string, unknown>): Promise<Ordered> {
  const machine_no = freshMachine();
  if (machineMode) await machine(api, machine_no, machineMode);
  const one = await ordered({ machine_no, ...more });
  const [payment] = (await one.native()).payments;
  expect((await control(api.system, payment.out_trade_no, { action: 'pay' })).status).toBe(200);
  await until(one.native, ({ paid_at }) => paid_at !== null);
  return one;
}
const whenStatus = ({ read }: Pick<Ordered, 'read'>, status: string) => until(read, (data) => data.status === status);
const recordsOf = (data: any): string[] => data.records.map((record: any) => record.status);
const whenRecords = ({ read }: Pick<Ordered, 'read'>, ...statuses: string[]) =>
  until(read, (data) => JSON.stringify(recordsOf(data)) === JSON.stringify(statuses), 40_000);
async function refunded({ id }: Ordered): Promise<void> {
  const refund = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken' });
  const approve = `POST /v1/orders/${id}/refunds/${refund.body.id}/approve`;
  expect((await api.call(approve, {}, { key: OPERATOR_KEY })).status).toBe(200);
}

describe('active ordering', () => {
  it('answers with a QR code to pay, key by key', async () => {
    const { payload, data, native } = await ordered();
    expect(Object.keys(data)).toEqual(['order_id', 'trade_id', 'date', 'amount', 'status', 'qr_code']);
    const { number, payments, ...stored } = await native();
    expect(data).toMatchObject({ order_id: number, trade_id: payload['trade_id'], amount: '3.00', status: 'NOTPAY' });
    expect(data.qr_code).toBe(payments[0].action.content);
    expect(data.date).toBe(new Date(Date.parse(stored.created_at) + 8 * 3_600_000).toISOString().slice(0, 10));
    expect(stored).toMatchObject({ merchant_order_no: payload['trade_id'], machine_no: payload.machine_no });
    expect(payments).toMatchObject([{ method: 'wechatpay.native', amount: 300 }]);
  });

  it('is open to the demo application, at its two machines', async () => {
    const demo = { appid: 'ds_demo', appsecret: 'ds_demo_secret' };
    for (const machine_no of ['16327129', '16327130'])
      expect(await order(wanted({ machine_no, test: true }), demo)).toMatchObject({ code: 0 });
    expect(await order(wanted({ machine_no: '16327131' }), demo)).toEqual(INVALID);
  });

  it('is of the vending channel, for operators in the Temporal UI', async () => {
    const { id } = await ordered();
    const row = await api.system.db.selectFrom('orders').select('channel').where('id', '=', id).executeTakeFirst();
    expect(row?.channel).toBe('vending');
  });

  it('answers with a page to pay on, where the method has one', async () => {
    const { data } = await ordered({ pay_method: 'alipay.wap' });
    expect(Object.keys(data).at(-1)).toBe('pay_url');
    expect(data.pay_url).toMatch(/^http/);
  });

  it('needs no payment where nothing is to be paid', async () => {
    const { data, native } = await ordered({ products: [{ product_id: 1, quantity: 1, price: '0.00' }] });
    expect(data).toMatchObject({ amount: '0.00', status: 'SUCCESS' });
    expect((await native()).payments).toEqual([]);
  });

  it('with the same trade_id is the same order, also many at once', async () => {
    const payload = wanted();
    const answers = await Promise.all(Array.from({ length: 8 }, () => order(payload)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const again = await order({ ...payload, timestamp: now(), pay_method: 'alipay.qr' });
    expect(again).toEqual(answers[0]);
    const listed = await api.call(`GET /v1/orders?merchant_order_no=${String(payload['trade_id'])}`);
    expect(listed.body.data).toHaveLength(1);
    expect(listed.body.data[0].payments).toHaveLength(1);
  });

  it('with the same trade_id is the same order also where its method is no longer on offer', async () => {
    const { payload, data } = await ordered();
    const call = anotherApi(api, { findProvider: () => Promise.resolve(null) });
    const again = async (body: unknown) =>
      (await call('POST /api/openapi/v1/orders', undefined, { raw: encoded(body), headers: OURS })).body;
    expect(await again({ ...payload, timestamp: now() })).toEqual({ code: 0, message: 'ok', data });
    expect(await again(wanted())).toEqual(INVALID);
  });

  it('of an order whose time is over is 40005, also before its end is settled', async () => {
    const { payload } = await ordered();
    const call = anotherApi(api, { now: () => Date.now() + 1_000_000 });
    const raw = encoded({ ...payload, timestamp: String(Number(now()) + 1_000) });
    const answer = await call('POST /api/openapi/v1/orders', undefined, { raw, headers: OURS });
    expect(answer).toMatchObject({ status: 200, body: EXPIRED });
  });

  it('that can have no further attempt is shown as it stands', async () => {
    const refusal = { code: 'limit_reached', detail: 'An order has at most 50 attempts.' } as const;
    const ask = () => Promise.reject(new Refused(refusal));
    const call = anotherApi(api, { gateway: { ...api.deps.gateway, ask } });
    const raw = encoded(wanted());
    const { body } = await call('POST /api/openapi/v1/orders', undefined, { raw, headers: OURS });
    expect(body).toMatchObject({ code: 0, data: { status: 'NOTPAY' } });
    expect(body.data).not.toHaveProperty('qr_code');
  });

  it('with the same trade_id and another wish is refused', async () => {
    const { payload } = await ordered();
    const [first, ...others] = PRODUCTS;
    for (const change of [
      { products: others },
      { products: [{ ...first, quantity: 2 }, ...others] },
      { products: [{ ...first, price: '1.01' }, ...others] },
      { products: [{ ...first, product_id: 9 }, ...others] },
      { machine_no: freshMachine() },
      { pickup_code: true },
      { test: true },
    ])
      expect(await order({ ...payload, ...change }), JSON.stringify(change)).toEqual(INVALID);
    expect(await order(payload, THEIRS)).toEqual(INVALID);
  });

  it('with a number that an order of another channel has is refused', async () => {
    const native = await api.call('POST /v1/orders', tea());
    expect(await order(wanted({ trade_id: native.body.merchant_order_no }))).toEqual(INVALID);
  });

  it.each([
    ['at a machine of nobody', { machine_no: '99999999' }],
    ['with a method that is not offered', { pay_method: 'card.wechat' }],
    ['of more than an order may come to', { products: Array(2).fill({ ...PRODUCTS[0], price: '999999999.99' }) }],
  ])('%s is refused, and orders nothing', async (_, change) => {
    const payload = wanted(change);
    expect(await order(payload)).toEqual(INVALID);
    const listed = await api.call(`GET /v1/orders?merchant_order_no=${String(payload['trade_id'])}`);
    expect(listed.body.data).toEqual([]);
  });

  it('goes on with the same trade_id once a provider that was away is back', async () => {
    const payload = wanted();
    await faults(api.system, { provider: 'wechatpay', error_rate: 1 });
    expect(await order(payload)).toEqual(BROKEN);
    await noFaults(api.system);
    const answer = await until(
      () => order({ ...payload, timestamp: now() }),
      ({ code }) => code === 0,
      120_000,
    );
    expect(answer.data.qr_code).toMatch(/^http/);
  });
});

describe('what is checked', () => {
  it('is first who calls', async () => {
    const broken = 'no JSON';
    expect(await send('', broken, {})).toEqual(UNKNOWN);
    expect(await send('', broken, { appid: OURS.appid })).toEqual(UNKNOWN);
    expect(await send('', broken, { ...OURS, appsecret: 'wrong' })).toEqual(UNKNOWN);
    expect(await send('', broken, { ...OURS, appid: 'ds_nobody' })).toEqual(UNKNOWN);
    expect(await send('/1', broken, { authorization: `Bearer ${MERCHANT_KEY}` })).toEqual(UNKNOWN);
  });

  it('then what is sent', async () => {
    const stale = String(Number(now()) - 1_000);
    expect(await send('', 'no JSON')).toEqual(INVALID);
    expect(await send('', new Uint8Array([0xff]))).toEqual(INVALID);
    expect(await send('', 'x'.repeat(1_100_000))).toEqual(INVALID);
    expect(await order(wanted({ timestamp: stale, machine_no: '1' }))).toEqual(INVALID);
    expect(await order(wanted({ timestamp: stale, machine_no: '99999999' }))).toEqual(INVALID);
    expect(await send('/1', encoded({ machine_no: '1', timestamp: stale }))).toEqual(INVALID);
  });

  it('then the time', async () => {
    const stale = String(Number(now()) - 301);
    const payload = wanted({ timestamp: stale });
    expect(await order(payload)).toEqual(UNTIMELY);
    expect(await order({ ...payload, timestamp: String(Number(now()) + 330) })).toEqual(UNTIMELY);
    expect(await send('/0', encoded({ machine_no: '16330000', timestamp: stale }))).toEqual(UNTIMELY);
  });

  it('then whether there is such an order', async () => {
    const { data, payload } = await ordered();
    const native = await api.call('POST /v1/orders', tea({ machine_no: payload.machine_no }));
    expect(await query(data.order_id, payload.machine_no)).toMatchObject({ code: 0 });
    for (const id of [
      '',
      '54/',
      '1/2',
      '999999999',
      '0',
      '-1',
      'abc',
      '1.5',
      `0${data.order_id}`,
      '9'.repeat(30),
      native.body.number,
    ])
      expect(await query(id, payload.machine_no), String(id)).toEqual(NOT_FOUND);
    expect(await query(data.order_id, freshMachine())).toEqual(NOT_FOUND);
    expect(await query(data.order_id, payload.machine_no, THEIRS)).toEqual(NOT_FOUND);
    expect(await query(data.order_id, payload.machine_no, FOREIGN)).toEqual(NOT_FOUND);
  });

  it('and what is broken on our side is said, and no more than that', async () => {
    const ask = () => Promise.reject(new Error('a secret'));
    const call = anotherApi(api, { gateway: { ...api.deps.gateway, ask } });
    const answer = await call('POST /api/openapi/v1/orders', undefined, { raw: encoded(wanted()), headers: OURS });
    expect(answer).toMatchObject({ status: 200, body: BROKEN });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('and a provider account that can not be used is a method that is not offered', async () => {
    const call = anotherApi(api, { findProvider: () => Promise.reject(new Error('no such file')) });
    const answer = await call('POST /api/openapi/v1/orders', undefined, { raw: encoded(wanted()), headers: OURS });
    expect(answer).toMatchObject({ status: 200, body: INVALID });
  });

  it('and how often: an application has its own share', async () => {
    const call = anotherApi(api, { rateLimit: { perMinute: 2 } });
    const ask = async (headers: Record<string, string>) =>
      (await call('POST /api/openapi/v1/orders/1', undefined, { raw: encoded({}), headers })).body;
    expect([await ask(OURS), await ask(OURS), await ask(OURS)]).toEqual([INVALID, INVALID, BROKEN]);
    expect(await ask(THEIRS)).toEqual(INVALID);
  });
});

describe('every status of an order', () => {
  it('NOTPAY, SUCCESS; its records WAITING_PICKED_UP on the way to IS_SUCCESS', async () => {
    const one = await paid();
    const done = await whenRecords(one, 'IS_SUCCESS', 'IS_SUCCESS', 'IS_SUCCESS');
    expect(one.data.status).toBe('NOTPAY');
    expect(done).toMatchObject({ status: 'SUCCESS', notify_send_count: 3 });
    expect(done.records.map((record: any) => record.notify_sent)).toEqual(['1', '1', '1']);
    expect(Object.keys(done)).toEqual([
      'order_id',
      'trade_id',
      'date',
      'amount',
      'status',
      'notify_send_count',
      'records',
    ]);
    expect(Object.keys(done.records[0])).toEqual(['id', 'product_id', 'quantity', 'price', 'status', 'notify_sent']);
  });

  it('USERPAYING while the buyer types a password; REVOKED if it is called off then', async () => {
    const one = await ordered({ pay_method: 'alipay.barcode', auth_code: '287634438256643948' });
    const paying = await whenStatus(one, 'USERPAYING');
    expect(Object.keys(paying)).not.toContain('notify_send_count');
    expect(recordsOf(paying)).toEqual([undefined, undefined, undefined]);
    await api.call(`POST /v1/orders/${one.id}/cancel`, {});
    await whenStatus(one, 'REVOKED');
    await replay(api.system, one.id, 'revoked');
  });

  it('SUCCESS at once where the bar code pays at once; ordered again, it is not charged again', async () => {
    const one = await ordered({ pay_method: 'alipay.barcode', auth_code: '287634438256643941' });
    expect(one.data.status).toBe('SUCCESS');
    expect(Object.keys(one.data)).toEqual(['order_id', 'trade_id', 'date', 'amount', 'status']);
    expect((await order({ ...one.payload, timestamp: now() })).data).toEqual(one.data);
    expect((await one.native()).payments).toHaveLength(1);
    await replay(api.system, one.id, 'paid-by-bar-code');
  });

  it('PAYERROR where the bar code is refused, and stays so', async () => {
    const one = await ordered({ pay_method: 'alipay.barcode', auth_code: '287634438256643949' });
    expect(one.data.status).toBe('PAYERROR');
    expect((await one.read()).status).toBe('PAYERROR');
    expect((await order({ ...one.payload, auth_code: '287634438256643941' })).data.status).toBe('PAYERROR');
    expect((await one.native()).payments).toHaveLength(1);
  });

  it('CLOSED where it was cancelled unpaid', async () => {
    const one = await ordered();
    await api.call(`POST /v1/orders/${one.id}/cancel`, {});
    await whenStatus(one, 'CLOSED');
    expect((await order(one.payload)).data).not.toHaveProperty('qr_code');
  });

  it('expired is 40005, also when ordered again', async () => {
    const payload = wanted({ expires_in: 2 });
    await order(payload); // On a slow machine it may be over before its payment is open.
    const native = async () =>
      (await api.call(`GET /v1/orders?merchant_order_no=${String(payload['trade_id'])}`)).body.data[0];
    const { number, cancel_reason } = await until(native, ({ status }) => status === 'cancelled');
    expect(cancel_reason).toBe('expired');
    const text = JSON.stringify(await query(number, payload.machine_no));
    expect(text).toBe('{"code":40005,"message":"订单已过期","data":{}}'); // The source's own example.
    expect(await query(number, freshMachine())).toEqual(NOT_FOUND);
    expect(await query(number, payload.machine_no, THEIRS)).toEqual(NOT_FOUND);
    expect(await order({ ...payload, timestamp: now(), products: PRODUCTS.slice(1) })).toEqual(INVALID);
    expect(await order({ ...payload, timestamp: now() })).toEqual(EXPIRED);
  });

  it('REFUND from the moment that all of it is on its way back', async () => {
    await faults(api.system, { provider: 'wechatpay', refund_delay_ms: 600_000 });
    const one = await paid({ pickup_code: true });
    expect((await one.read()).status).toBe('PICKUPCODE');
    await refunded(one);
    expect(await one.native()).toMatchObject({ refund_status: 'pending' });
    expect((await one.read()).status).toBe('REFUND');
    await noFaults(api.system);
    const back = await whenRecords(one, 'IS_REFUND', 'IS_REFUND', 'IS_REFUND');
    expect(back.status).toBe('REFUND');
    expect(await one.native()).toMatchObject({ refund_status: 'full' });
  });

  it('PICKUPCODE: WAITING_PICKED_UP until the code is redeemed, then IS_PICKED_UP', async () => {
    const one = await paid({ pickup_code: true });
    expect(one.data).toMatchObject({ status: 'NOTPAY', pickup_code: expect.stringMatching(/^\d{9}$/) });
    const before = await one.read();
    expect(before).toMatchObject({ status: 'PICKUPCODE', pickup_code_id: expect.any(Number) });
    expect(before).not.toHaveProperty('notify_send_count');
    expect(recordsOf(before)).toEqual(Array(3).fill('WAITING_PICKED_UP'));
    const { machine_no } = one.payload;
    const redeemed = await api.call(`POST /v1/machines/${machine_no}/pickup`, { code: one.data.pickup_code });
    expect(redeemed.status).toBe(200);
    const after = await whenRecords(one, 'IS_PICKED_UP', 'IS_PICKED_UP', 'IS_PICKED_UP');
    expect(after).toMatchObject({ status: 'PICKUPCODE', notify_send_count: 3 });
    expect(after.records.map((record: any) => record.notify_sent)).toEqual(['1', '1', '1']);
  });

  it('TESTPAY: nothing is paid, no machine is told', async () => {
    const one = await ordered({ test: true });
    expect(one.data).toMatchObject({ status: 'TESTPAY', amount: '3.00' });
    expect(one.data).not.toHaveProperty('qr_code');
    const read = await whenRecords(one, 'IS_SUCCESS', 'IS_SUCCESS', 'IS_SUCCESS');
    expect(read.records.map((record: any) => record.notify_sent)).toEqual(['0', '0', '0']);
    expect((await machine(api, one.payload.machine_no)).dispatches).toEqual([]);
  });
});

describe('every status of a record', () => {
  it('IS_DELIVERING while the machine is at it', async () => {
    const one = await paid({}, { mode: 'dispense', delay_ms: 600_000 });
    const data = await whenRecords(one, 'IS_DELIVERING', 'IS_DELIVERING', 'IS_DELIVERING');
    expect(data).toMatchObject({ status: 'SUCCESS', notify_send_count: 3 });
  });

  it('IS_FAILED until its money is back, then IS_REFUND', async () => {
    await faults(api.system, { provider: 'wechatpay', refund_delay_ms: 600_000 });
    const one = await paid({}, { mode: 'jam', item: 2 });
    await whenRecords(one, 'IS_SUCCESS', 'IS_FAILED', 'IS_SUCCESS');
    await noFaults(api.system);
    const data = await whenRecords(one, 'IS_SUCCESS', 'IS_REFUND', 'IS_SUCCESS');
    expect(data.status).toBe('SUCCESS');
  });

  it('IS_TIMEOUT where the machine never answers in time', async () => {
    await faults(api.system, { provider: 'wechatpay', refund_delay_ms: 600_000 });
    // Five minutes is too long for a test: the order is created with two seconds, and then given to the application.
    const machine_no = freshMachine();
    await machine(api, machine_no, { mode: 'silent' });
    const items = [{ sku: '121', name: 'Cola', quantity: 1, amount: 100, fulfilment: 'machine' }];
    const { body } = await api.call('POST /v1/orders', tea({ items, machine_no, delivery_timeout: 2 }));
    const { db } = api.system;
    const { details } = await db
      .selectFrom('orders')
      .select('details')
      .where('id', '=', body.id)
      .executeTakeFirstOrThrow();
    const given = JSON.stringify({ ...details, application: OURS.appid });
    await db.updateTable('orders').set({ details: given }).where('id', '=', body.id).execute();
    const opened = await api.call(`POST /v1/orders/${body.id}/payments`, { method: 'wechatpay.native' });
    await control(api.system, opened.body.out_trade_no, { action: 'pay' });
    const read = async () => (await query(body.number, machine_no)).data;
    await whenRecords({ read }, 'IS_TIMEOUT');
    await noFaults(api.system);
    expect((await whenRecords({ read }, 'IS_REFUND')).status).toBe('REFUND');
  });
});
