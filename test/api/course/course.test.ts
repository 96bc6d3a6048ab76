import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../../../api/course/signature.ts';
import { putAlbum, putCourseUser } from '../../../db/courses.ts';
import { orderWorkflowId } from '../../../workflows/messages.ts';
import { replay } from '../../support/histories.ts';
import { control, faults, noFaults, until } from '../../support/orders.ts';
import { addKey, anotherApi, OPERATOR_KEY, OTHER_KEY, startApi, type Call, type TestApi } from '../support.ts';

let api: TestApi;
let elsewhere: Promise<Ordered>;
let expiring: Ordered;
const TEACHER = { id: 501, token: 'teacher_test' };
const OTHER_TEACHER = { id: 502, token: 'other_teacher_test' };
const FOREIGN = { id: 503, token: 'foreign_test' };
beforeAll(async () => {
  api = await startApi();
  const { db } = api.system;
  const teacher = { merchant: 'demo', name: '张老师', role: 'teacher' } as const;
  await putCourseUser(db, { ...TEACHER, ...teacher });
  await putCourseUser(db, { ...OTHER_TEACHER, ...teacher });
  await putCourseUser(db, { ...FOREIGN, merchant: 'other', name: 'x', role: 'student' });
  // The first asking is 25 s away: other tests run meanwhile.
  elsewhere = ordered();
  await payElsewhere(await elsewhere);
  expiring = await orderedLongAgo();
});
afterAll(() => api?.stop());
afterEach(() => noFaults(api.system));

type Params = Record<string, string | number>;
const encoded = (params: Params) =>
  new URLSearchParams(Object.entries(params).map(([k, v]): [string, string] => [k, String(v)]));
async function send(path: string, params: Params = {}, key: string | null = null, call = api.call) {
  const { status, body } = await call(`GET ${path}?${encoded(params).toString()}`, undefined, { key });
  expect(status).toBe(200);
  return body;
}
async function sendForm(path: string, params: Params) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, body } = await api.call(`POST ${path}`, undefined, {
    key: null,
    raw: encoded(params).toString(),
    headers,
  });
  expect(status).toBe(200);
  return body;
}

/** Students and albums that no other test uses. */
let made = 1000;
async function student() {
  const id = made++;
  const token = `student_${id}`;
  await putCourseUser(api.system.db, { id, merchant: 'demo', name: '王小二', role: 'student', token });
  return { id, token };
}
async function album(price = 9900, teacher = TEACHER.id) {
  const id = made++;
  await putAlbum(api.system.db, { id, merchant: 'demo', teacher, title: '我的直播课', price });
  return id;
}
type Buyer = { id: number; token: string };
const create = async ({ token }: Buyer, album_id: number, by?: Call) =>
  send('/order/create', { album_id, token }, null, by);
const get = async ({ token }: { token: string }, trade_no: string) =>
  (await send('/order/get', { trade_no, token })).data.items[0];

async function ordered({ price = 9900, by }: { price?: number; by?: Call } = {}) {
  const buyer = await student();
  const album_id = await album(price);
  const [item] = (await create(buyer, album_id, by)).data.items;
  const { trade_no } = item;
  const native = async () => (await api.call(`GET /v1/orders?number=${item.id}`)).body.data[0];
  return { buyer, album_id, item, trade_no, native, read: () => get(buyer, trade_no), id: (await native()).id };
}
/** Almost two hours ago: it expires in a moment, while other tests run. */
async function orderedLongAgo() {
  const one = await ordered({ by: anotherApi(api, { now: () => Date.now() - 7_185_000 }) });
  expect((await create(one.buyer, one.album_id)).data.items).toEqual([one.item]);
  return one;
}
type Ordered = Awaited<ReturnType<typeof ordered>>;
const open = async ({ id }: Ordered, method: string) =>
  (await api.call(`POST /v1/orders/${id}/payments`, { method })).body;
const pay = async ({ trade_no }: Ordered, provider: string, more: object = {}) =>
  expect((await control(api.system, trade_no, { action: 'pay', provider, ...more })).status).toBe(200);
const whenPaid = ({ native }: Ordered, patience?: number) =>
  until(native, (order: any) => order.paid_at !== null, patience);
async function refunded({ id }: Ordered, what: { amount?: number } = {}) {
  const refund = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken', ...what });
  const approve = `POST /v1/orders/${id}/refunds/${refund.body.id}/approve`;
  expect((await api.call(approve, {}, { key: OPERATOR_KEY })).status).toBe(200);
}

const told = ({ trade_no }: Ordered, more: Params = {}): Params => ({
  result: 'SUCCESS',
  trade_no,
  third_trade_no: `4200${trade_no}`,
  third_buyer_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
  amount: '99.00',
  ...more,
});
const signed = (params: Params): Params => ({
  ...params,
  sign: signatureOf(encoded(params), 'course_demo_secret'),
});
const CODE = { signIn: 2, forbidden: 3, missing: 4, invalid: 5, notFound: 6, unproven: 7 };
const NOT_SIGNED_IN = { code: 2, err_desc: '未登录' };

describe('creating', () => {
  it('answers as the source does, key by key, and the order waits at both providers under its number', async () => {
    const { item, buyer, native, trade_no } = await ordered();
    expect(Object.keys(item)).toEqual(['id', 'name', 'amount', 'trade_no', 'status']);
    expect(item).toMatchObject({ name: '我的直播课', amount: '99.00', status: 0 });
    expect(trade_no).toMatch(new RegExp(`^${item.id}-${buyer.id}-[0-9a-f]{4}$`));
    const stored = await native();
    expect(stored).toMatchObject({ number: Number(item.id), merchant_order_no: trade_no, status: 'pending_payment' });
    expect(Date.parse(stored.expires_at) - Date.parse(stored.created_at)).toBe(7_200_000);
    expect(stored.payments.map((p: any) => [p.method.split('.')[0], p.out_trade_no, p.status, p.action])).toEqual([
      ['wechatpay', trade_no, 'pending', null],
      ['alipay', trade_no, 'pending', null],
    ]);
  });

  it('is the same order again while it is unpaid, also many at once', async () => {
    const buyer = await student();
    const album_id = await album();
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(buyer, album_id)));
    expect(new Set(answers.map(({ data }) => data.items[0].trade_no)).size).toBe(1);
    const { count } = (await send('/order/list', { token: buyer.token })).data;
    expect(count).toBe(1);
  });

  it('needs no payment for a free album, which the student then has', async () => {
    const { buyer, album_id, item, read } = await ordered({ price: 0 });
    expect(item).toMatchObject({ amount: '0.00', status: 2 });
    expect(await read()).toMatchObject({ pay_status: '2', servicer: null });
    expect((await create(buyer, album_id)).data.items[0]).toEqual(item);
  });

  it('of an album that was bought is the same order, and a new one once it is refunded in full', async () => {
    const one = await ordered();
    await open(one, 'wechatpay.native');
    await pay(one, 'wechatpay');
    await whenPaid(one);
    const again = (await create(one.buyer, one.album_id)).data.items[0];
    expect(again).toEqual({ ...one.item, status: 2 });
    await refunded(one);
    await until(one.native, ({ refund_status }) => refund_status === 'full');
    const anew = (await create(one.buyer, one.album_id)).data.items[0];
    expect(anew).toMatchObject({ status: 0 });
    expect(anew.id).not.toBe(one.item.id);
    expect((await one.read()).pay_status).toBe('0');
  });

  it('is a new order once the one before has ended unpaid', async () => {
    const one = await ordered();
    await api.call(`POST /v1/orders/${one.id}/cancel`, { reason: 'changed my mind' });
    const anew = (await create(one.buyer, one.album_id)).data.items[0];
    expect(anew).toMatchObject({ status: 0 });
    expect(anew.id).not.toBe(one.item.id);
  });

  it('shows in Temporal as of the course shop', async () => {
    const { id } = await ordered();
    const look = () => api.system.client.workflow.getHandle(orderWorkflowId(id)).describe();
    const { typedSearchAttributes } = await until(look, ({ status }) => status.name === 'RUNNING');
    const channel = defineSearchAttributeKey('Channel', SearchAttributeType.KEYWORD);
    expect(typedSearchAttributes.get(channel)).toBe('course');
  });

  it('says what is wrong', async () => {
    const { token } = await student();
    expect(await send('/order/create', { token })).toEqual({ code: 4, err_desc: '缺少订购内容参数' });
    expect(await send('/order/create', { album_id: await album() })).toEqual(NOT_SIGNED_IN);
    expect(await send('/order/create', { album_id: 1, token: 'nobody' })).toEqual(NOT_SIGNED_IN);
    expect((await send('/order/create', { album_id: 'two', token })).code).toBe(CODE.invalid);
    expect((await send('/order/create', { album_id: 999_999, token })).code).toBe(CODE.notFound);
    expect((await send('/order/create', { album_id: 1, token: TEACHER.token })).code).toBe(CODE.forbidden);
    expect((await send('/order/create', { album_id: 2, token: FOREIGN.token })).code).toBe(CODE.notFound);
  });

  it('takes a form of several parts, and refuses what is none, too long or can not be kept', async () => {
    const { token } = await student();
    const form = new FormData();
    form.set('album_id', String(await album()));
    form.set('token', token);
    const posts = async (raw: string | FormData, type?: string) => {
      const request = new Request('http://x', {
        method: 'POST',
        body: raw,
        ...(type && { headers: { 'content-type': type } }),
      });
      const { body } = await api.call('POST /order/create', undefined, {
        key: null,
        raw: new Uint8Array(await request.arrayBuffer()),
        headers: { 'content-type': request.headers.get('content-type') ?? '' },
      });
      return body.code;
    };
    const encodedForm = 'application/x-www-form-urlencoded';
    expect(await posts(form)).toBe(0);
    expect(await posts('--x\r\nalbum_id=2', 'multipart/form-data; boundary=x')).toBe(CODE.invalid);
    expect(await posts(`token=${token}&album_id=${'1'.repeat(65_536)}`, encodedForm)).toBe(CODE.invalid);
    expect(await posts(`token=${token}&album_id=2%00`, encodedForm)).toBe(CODE.invalid);
    expect((await send('/order/get', { trade_no: '5-1-6d2d\0', token })).code).toBe(CODE.invalid);
  });

  it('takes a form, and a bearer token', async () => {
    const { token } = await student();
    expect(await sendForm('/order/create', { album_id: await album(), token })).toMatchObject({ code: 0 });
    expect(await send('/order/create', { album_id: await album() }, token)).toMatchObject({ code: 0 });
  });
});

describe('paying', () => {
  it.each([
    ['wechatpay', 'wechatpay.native', '1'],
    ['alipay', 'alipay.qr', '2'],
  ])('at %s under the number of the order counts, and closes the other one', async (provider, method, servicer) => {
    const one = await ordered();
    const payment = await open(one, method);
    expect(payment).toMatchObject({ method, out_trade_no: one.trade_no, status: 'pending' });
    expect(payment.action).not.toBeNull();
    const { content } = payment.action;
    await pay(one, provider, content && method === 'alipay.qr' ? { url: content } : {});
    const { payments } = await whenPaid(one);
    const read = await one.read();
    expect(read).toMatchObject({ pay_status: '2', servicer, amount: '99.00', price: '99.00', third_buyer_id: null });
    expect(read.third_trade_no).toBe(payments.find((p: any) => p.method === method).provider_trade_no);
    expect(read.pay_time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    await until(one.native, (o) => o.payments.every((p: any) => p.status === 'succeeded' || p.status === 'closed'));
  });

  it('at both gives one of them back', async () => {
    const one = await ordered();
    await open(one, 'wechatpay.native');
    const { action } = await open(one, 'alipay.qr');
    await faults(api.system, { provider: 'alipay', drop_notices: true });
    await pay(one, 'alipay', { url: action.content });
    await pay(one, 'wechatpay');
    const paid = await until(one.native, ({ refunds }) => refunds.some(({ status }: any) => status === 'succeeded'));
    expect(paid.refunds).toMatchObject([{ origin: 'duplicate_payment', amount: 9900 }]);
    expect(paid.amounts).toMatchObject({ paid: 9900, refunded: 0 });
  });
});

/** As a client with an account of its own at the provider does: the order hears nothing of it. */
async function payElsewhere(one: Ordered): Promise<void> {
  const provider = (await api.system.findProvider('demo', 'wechatpay'))!;
  const now = Date.now();
  await provider.open({
    method: 'wechatpay.native',
    outTradeNo: one.trade_no,
    orderId: one.id,
    money: { amount: 9900, currency: 'CNY' },
    description: '我的直播课',
    startedAt: now,
    expiresAt: now + 600_000,
    notifyUrl: `${api.url}/elsewhere`,
    formUrl: '',
    landingUrl: '',
    returnUrl: api.url,
    buyer: {},
  });
  await pay(one, 'wechatpay');
}

const ledger = async (id: string) =>
  api.system.db
    .selectFrom('ledger')
    .select(['provider', 'reference', 'amount', 'confirmed'])
    .where('order_id', '=', id)
    .execute();
const events = async (id: string) =>
  (await api.call(`GET /v1/orders/${id}/events`)).body.data.map(({ type }: { type: string }) => type);

describe('what a client tells of a payment', () => {
  it('counts by its signature; its money stays unconfirmed until the provider confirms it', async () => {
    const one = await ordered();
    expect(await send('/orders/wxpay', signed(told(one)))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({
      pay_status: '2',
      servicer: '1',
      third_trade_no: `4200${one.trade_no}`,
      third_buyer_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    });
    expect(await ledger(one.id)).toMatchObject([{ amount: 9900, confirmed: false }]);
    await payElsewhere(one);
    await api.call(`POST /v1/orders/${one.id}/retry`);
    await until(
      () => ledger(one.id),
      (rows) => rows[0]!.confirmed,
    );
    const { payments, refunds } = await one.native();
    expect(refunds).toEqual([]);
    expect((await one.read()).third_trade_no).toBe(payments[0].provider_trade_no);
    expect(await ledger(one.id)).toMatchObject([{ amount: 9900, confirmed: true }]);
    await replay(api.system, one.id, 'told-by-merchant');
  });

  it('about the wrong provider is the money that it names: one payment, which moves to where it came', async () => {
    const one = await ordered();
    const { action } = await open(one, 'alipay.qr');
    await faults(api.system, { provider: 'alipay', drop_notices: true });
    await pay(one, 'alipay', { url: action.content });
    const books: any = await (await fetch(`${api.system.simulator.url}/_control/ledger`)).json();
    const { trade_no: third_trade_no } = books.data.find(({ out_trade_no }: any) => out_trade_no === one.trade_no);
    await faults(api.system, { provider: 'alipay', error_rate: 1 });
    expect(await send('/orders/wxpay', signed(told(one, { third_trade_no })))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2', servicer: '1', third_trade_no });
    expect(await ledger(one.id)).toMatchObject([{ provider: 'wechatpay', confirmed: false }]);
    await noFaults(api.system);
    await api.call(`POST /v1/orders/${one.id}/retry`);
    const rows = await until(
      () => ledger(one.id),
      ([row]) => row!.confirmed,
    );
    expect(rows).toMatchObject([{ provider: 'alipay', reference: third_trade_no, amount: 9900 }]);
    expect(await one.read()).toMatchObject({ pay_status: '2', servicer: '2', third_trade_no });
    const { refunds } = await until(one.native, ({ payments }) => payments[0].status === 'closed');
    expect(refunds).toEqual([]);
    await replay(api.system, one.id, 'told-of-the-wrong-attempt');
  });

  it('counts without one if the provider says the same, and else changes nothing', async () => {
    const one = await ordered();
    const { action } = await open(one, 'alipay.qr');
    expect((await send('/order/alipay', told(one))).code).toBe(CODE.unproven);
    const forged = { ...signed(told(one)), amount: '0.01' };
    expect((await send('/order/alipay', forged)).code).toBe(CODE.unproven);
    expect((await send('/orders/wxpay', told(one, { result: '0' }))).code).toBe(CODE.unproven);
    expect(await one.read()).toMatchObject({ pay_status: '0', pay_time: null, third_buyer_id: null });
    await faults(api.system, { drop_notices: true });
    await pay(one, 'alipay', { url: action.content });
    expect(await sendForm('/order/alipay', told(one, { result: '2' }))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2', servicer: '2' });
    expect(await ledger(one.id)).toMatchObject([{ amount: 9900, confirmed: true }]);
  });

  it('names who paid where it is signed, or knows the number of the payment; erased, that is not kept again', async () => {
    const one = await ordered();
    await open(one, 'wechatpay.native'); // Closed for good then.
    const { action } = await open(one, 'alipay.qr');
    await pay(one, 'alipay', { url: action.content });
    await whenPaid(one);
    const { third_trade_no } = await one.read();
    const tells = async (params: Params) => {
      expect(await send('/order/alipay', params)).toEqual({ code: 0 });
      return (await one.read()).third_buyer_id;
    };
    expect(await tells(told(one, { third_buyer_id: 'invented' }))).toBeNull();
    expect(await tells(told(one, { third_trade_no, third_buyer_id: '2088' }))).toBe('2088');
    expect(await tells(told(one, { third_trade_no, third_buyer_id: '2099' }))).toBe('2088');
    expect(await tells(signed(told(one, { third_buyer_id: '2077' })))).toBe('2077');
    await until(
      async () => (await api.call(`DELETE /v1/orders/${one.id}/personal-data`)).status,
      (is) => is === 204,
    );
    expect((await one.read()).third_buyer_id).toBeNull();
    expect(await tells(signed(told(one)))).toBeNull();
    expect(await tells(told(one, { third_trade_no }))).toBeNull();
  });

  it('is believed by no signature where no secret is agreed on', async () => {
    const one = await ordered();
    const by = anotherApi(api, { courseNotifySecret: null });
    for (const secret of ['', 'course_demo_secret', 'null']) {
      const params = told(one);
      const sign = signatureOf(encoded(params), secret);
      expect((await send('/orders/wxpay', { ...params, sign }, null, by)).code).toBe(CODE.unproven);
    }
    expect(await one.read()).toMatchObject({ pay_status: '0' });
  });

  it('is not confirmed by a provider that is away, and is once it is back', async () => {
    const one = await ordered();
    const { action } = await open(one, 'alipay.qr');
    await faults(api.system, { provider: 'alipay', drop_notices: true });
    await pay(one, 'alipay', { url: action.content });
    await faults(api.system, { provider: 'alipay', drop_notices: true, error_rate: 1 });
    expect((await send('/order/alipay', told(one))).code).toBe(CODE.unproven);
    expect(await one.read()).toMatchObject({ pay_status: '0' });
    await noFaults(api.system);
    expect(await send('/order/alipay', told(one))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2' });
  });

  it('may be confirmed to have failed', async () => {
    const one = await ordered();
    await open(one, 'wechatpay.native');
    const notice = { trade_no: one.trade_no, result: 'FAIL' };
    expect((await send('/orders/wxpay', notice)).code).toBe(CODE.unproven);
    const provider = (await api.system.findProvider('demo', 'wechatpay'))!;
    const [at, money] = [Date.now(), { amount: 9900, currency: 'CNY' }];
    const ref = { orderId: one.id, outTradeNo: one.trade_no, reference: null, startedAt: at, expiresAt: at, money };
    await provider.close({ method: 'wechatpay.native', ...ref });
    expect(await send('/orders/wxpay', notice)).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '4' });
  });

  it('twice, or many times at once, is told once', async () => {
    const one = await ordered();
    const notice = signed(told(one));
    const answers = await Promise.all(Array.from({ length: 6 }, () => send('/order/alipay', notice)));
    expect(answers).toEqual(answers.map(() => ({ code: 0 })));
    expect(await send('/order/alipay', notice)).toEqual({ code: 0 });
    expect((await events(one.id)).filter((type: string) => type === 'order.paid')).toHaveLength(1);
    expect(await ledger(one.id)).toHaveLength(1);
  });

  it('of another amount presumes no money: it stands in the timeline', async () => {
    const one = await ordered();
    expect((await send('/orders/wxpay', signed(told(one, { amount: '98.99' })))).code).toBe(CODE.invalid);
    expect(await one.read()).toMatchObject({ pay_status: '0', third_buyer_id: null });
    expect(await events(one.id)).toEqual(['order.created', 'payment.disputed']);
    expect(await ledger(one.id)).toEqual([]);
    expect(await send('/orders/wxpay', signed(told(one)))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2' });
  });

  it('of what needs no money is right, or not', async () => {
    const free = await ordered({ price: 0 });
    const tells = async (amount: string) => (await send('/order/alipay', signed(told(free, { amount })))).code;
    expect([await tells('0.00'), await tells('0.01')]).toEqual([0, CODE.invalid]);
    expect((await send('/order/alipay', told(free, { amount: '0.00' }))).code).toBe(CODE.unproven);
    expect((await free.native()).payments).toEqual([]);
  });

  it('counts by its signature also where the merchant has no such provider', async () => {
    const { findProvider } = api.deps;
    const withoutAlipay = anotherApi(api, {
      findProvider: async (merchant, name) => (name === 'alipay' ? null : findProvider(merchant, name)),
    });
    const one = await ordered({ by: withoutAlipay });
    expect((await one.native()).payments).toHaveLength(1);
    expect((await send('/order/alipay', told(one))).code).toBe(CODE.unproven);
    expect((await send('/order/alipay', signed(told(one, { amount: '98.99' })))).code).toBe(CODE.invalid);
    expect(await one.read()).toMatchObject({ pay_status: '0' });
    expect(await send('/order/alipay', signed(told(one)))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2' });
    expect(await ledger(one.id)).toMatchObject([{ amount: 9900, confirmed: false }]);
  });

  it('may be that it failed: the same number may yet be paid', async () => {
    const one = await ordered();
    const failed = signed(told(one, { result: 'FAIL', amount: '', third_trade_no: '' }));
    expect(await sendForm('/orders/wxpay', failed)).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '4' });
    expect(await send('/orders/wxpay', signed(told(one)))).toEqual({ code: 0 });
    expect(await one.read()).toMatchObject({ pay_status: '2' });
  });

  it.each([
    [CODE.missing, { trade_no: '' }],
    [CODE.missing, { result: '' }],
    [CODE.missing, { amount: '' }],
    [CODE.missing, { third_trade_no: '' }],
    [CODE.invalid, { amount: '99' + '.001' }],
    [CODE.invalid, { third_trade_no: 'x'.repeat(300) }],
    [CODE.notFound, { trade_no: '999999-1-abcd' }],
    [CODE.notFound, { trade_no: 'A-1001' }],
  ])('is answered with code %d where it has %j', async (code, change) => {
    const one = await ordered();
    expect((await send('/order/alipay', signed(told(one, change)))).code).toBe(code);
  });
});

it('waits for no order while the API stops', async () => {
  let looks = 0;
  const { saved, gateway } = api.deps;
  const counted: typeof saved.waitFor = (order, timeout, signal) => {
    if (++looks > 3) throw new Error('it looks again and again');
    return saved.waitFor(order, timeout, signal);
  };
  const stopping = (now: () => number) =>
    anotherApi(
      api,
      { now, saved: { ...saved, waitFor: counted }, gateway: { ...gateway, tellNotice: async () => {} } },
      AbortSignal.abort(),
    );
  const one = await ordered();
  const late = stopping(() => Date.now() + 7_201_000);
  expect(await create(one.buyer, one.album_id, late)).toEqual({ code: 1, err_desc: '系统错误' });
  expect(await send('/orders/wxpay', signed(told(one)), null, stopping(Date.now))).toEqual({ code: 0 }); // It is kept.
  expect(looks).toBeLessThanOrEqual(1);
});

describe('reading', () => {
  it('is for the student who bought and the teacher who sold', async () => {
    const one = await ordered();
    const { item, buyer, album_id } = one;
    const read = await one.read();
    expect(Object.keys(read).join(' ')).toBe(
      'id user_id puber_id album_id title user_name price amount servicer trade_no third_trade_no third_buyer_id ' +
        'pay_status add_time pay_time',
    );
    expect(read).toMatchObject({
      id: item.id,
      user_id: String(buyer.id),
      puber_id: String(TEACHER.id),
      album_id: String(album_id),
      user_name: '王小二',
    });
    expect((await send('/order/get', { id: item.id, token: TEACHER.token })).data.items).toEqual([read]);
    const stranger = await student();
    for (const { token } of [stranger, OTHER_TEACHER])
      expect(await send('/order/get', { id: item.id, token })).toEqual({ code: 3, err_desc: '无权限' });
    expect((await send('/order/get', { id: item.id, token: FOREIGN.token })).code).toBe(CODE.notFound);
  });

  it('goes by id where both are given, and says what is wrong', async () => {
    const [one, other] = [await ordered(), await ordered()];
    const { token } = one.buyer;
    const both = { id: one.item.id, trade_no: other.trade_no, token };
    expect((await send('/order/get', both)).data.items[0].trade_no).toBe(one.trade_no);
    expect((await send('/order/get', { token })).code).toBe(CODE.missing);
    expect((await send('/order/get', { id: 'x', token })).code).toBe(CODE.invalid);
    expect((await send('/order/get', { id: 999_999, token })).code).toBe(CODE.notFound);
    const native = await api.call('POST /v1/orders', {
      merchant_order_no: `N-${process.pid}`,
      currency: 'CNY',
      items: [{ name: 'x', quantity: 1, unit_amount: 1, fulfilment: 'digital' }],
    });
    expect((await send('/order/get', { id: native.body.number, token })).code).toBe(CODE.notFound);
  });
});

/** Moves an order to another time, as no test can wait for days. */
async function createdAgo(id: string, days: number): Promise<void> {
  const day = new Date(Date.now() - days * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10);
  const { db } = api.system;
  const at = new Date(`${day}T04:00:00Z`);
  const row = await db
    .updateTable('course_orders')
    .set({ created_at: at })
    .where('number', '=', Number(id))
    .returning('album_id')
    .executeTakeFirstOrThrow();
  await db.updateTable('album_days').set({ day }).where('album_id', '=', row.album_id).execute();
}

describe('lists', () => {
  it("are a student's own or a teacher's sold ones, by album, day and page, newest first", async () => {
    const teacher = { id: made++, token: `teacher_${made}` };
    await putCourseUser(api.system.db, { ...teacher, merchant: 'demo', name: '李老师', role: 'teacher' });
    const buyer = await student();
    const ids: string[] = [];
    for (const days of [40, 29, 6, 1, 0]) {
      const [{ id }] = (await create(buyer, await album(100, teacher.id))).data.items;
      await createdAgo(id, days);
      ids.unshift(id);
    }
    const [today, yesterday, sixDays, month, old] = ids;
    for (const { token } of [buyer, teacher]) {
      const list = async (params: Params = {}) => {
        const { data } = await send('/order/list', { token, ...params });
        return { count: data.count, ids: data.items.map(({ id }: { id: string }) => id) };
      };
      expect(await list()).toEqual({ count: 5, ids });
      expect(await list({ time_para: '0' })).toEqual({ count: 1, ids: [today] });
      expect(await list({ time_para: '1' })).toEqual({ count: 1, ids: [yesterday] });
      expect(await list({ time_para: '-7' })).toEqual({ count: 3, ids: [today, yesterday, sixDays] });
      expect(await list({ time_para: '-30' })).toEqual({ count: 4, ids: [today, yesterday, sixDays, month] });
      expect(await list({ time_para: '30' })).toEqual({ count: 1, ids: [old] });
      expect(await list({ page: 2, page_size: 2 })).toEqual({ count: 5, ids: [sixDays, month] });
      expect(await list({ page: 9 })).toEqual({ count: 5, ids: [] });
      const { album_id } = (await send('/order/get', { id: yesterday!, token })).data.items[0];
      expect(await list({ album_id })).toEqual({ count: 1, ids: [yesterday] });
      expect((await send('/order/list', { token, time_para: '2' })).code).toBe(CODE.invalid);
      expect((await send('/order/list', { token, page: 0 })).code).toBe(CODE.invalid);
    }
    expect((await send('/order/list', { token: (await student()).token })).data).toMatchObject({ count: 0, items: [] });
    expect(await send('/order/list')).toEqual(NOT_SIGNED_IN);
  });

  it('has 20 on a page if not asked otherwise, and 100 at most', async () => {
    const { item, album_id, buyer, id } = await ordered();
    await copies(id, 100);
    for (const { token } of [buyer, TEACHER]) {
      const page = async (params: Params = {}) => (await send('/order/list', { token, album_id, ...params })).data;
      const read = (await send('/order/get', { id: item.id, token })).data.items[0];
      expect((await page()).items).toHaveLength(20);
      const [all, rest] = [await page({ page_size: 101 }), await page({ page_size: 101, page: 2 })];
      expect(all).toMatchObject({ count: 101, items: { length: 100 } });
      // Key by key as it is read alone: the oldest of the same moment stands last.
      expect(JSON.stringify(rest.items)).toBe(JSON.stringify([read]));
      for (const wrong of ['0', '-1', '1.5', 'x', '1'.repeat(16)]) {
        expect((await send('/order/list', { token, page_size: wrong })).code).toBe(CODE.invalid);
        expect((await send('/order/list', { token, page: wrong })).code).toBe(CODE.invalid);
      }
    }
    expect((await send('/order/list', { token: OTHER_TEACHER.token, album_id })).data.count).toBe(0);
  });

  it('begin a day at midnight in Shanghai, counted by rows or by days', async () => {
    const teacher = { id: made++, token: `teacher_${made}` };
    await putCourseUser(api.system.db, { ...teacher, merchant: 'demo', name: '李老师', role: 'teacher' });
    const buyer = await student();
    const midnight = Math.floor((Date.now() + 8 * 3_600_000) / 86_400_000) * 86_400_000 - 8 * 3_600_000;
    const orderedAt = async (now: number) =>
      (await create(buyer, await album(100, teacher.id), anotherApi(api, { now: () => now }))).data.items[0].id;
    const [before, after] = [await orderedAt(midnight - 1), await orderedAt(midnight)];
    const later = anotherApi(api, { now: () => midnight + 1 });
    for (const { token } of [buyer, teacher])
      for (const [time_para, id] of [
        ['0', after],
        ['1', before],
      ] as const) {
        const { count, items } = (await send('/order/list', { token, time_para }, null, later)).data;
        expect({ count, ids: items.map((item: any) => item.id) }).toEqual({ count: 1, ids: [id] });
      }
  });
});

/** More orders of the same moment, album and student, with greater numbers. */
async function copies(id: string, howMany: number): Promise<void> {
  const { db } = api.system;
  const copied = sql`from generate_series(1, ${howMany}) as n`;
  await sql`
    insert into orders overriding system value select (jsonb_populate_record(o, jsonb_build_object('id', o.id || n,
      'number', o.number + 1000000 + n, 'merchant_order_no', o.merchant_order_no || n,
      'book', jsonb_set(o.book, '{id}', to_jsonb(o.id || n))))).* ${copied}, orders o where o.id = ${id}`.execute(db);
  await sql`
    insert into order_items overriding system value select (jsonb_populate_record(i, jsonb_build_object('order_id', i.order_id || n,
      'number', i.number + 1000000 + n,
      'id', i.id || n))).* ${copied}, order_items i where i.order_id = ${id}`.execute(db);
  await sql`
    insert into course_orders select (jsonb_populate_record(c, jsonb_build_object('order_id', c.order_id || n,
      'number', c.number + 1000000 + n))).* ${copied}, course_orders c where c.order_id = ${id}`.execute(db);
  const counted = sql`(select album_id from course_orders where order_id = ${id})`;
  await sql`update album_days set orders = orders + ${howMany} where album_id = ${counted}`.execute(db);
  await sql`update albums set orders = orders + ${howMany} where id = ${counted}`.execute(db);
}

describe('sums', () => {
  const run = (key: string) => api.call('POST /admin/rollups/run', undefined, { key });

  it('are what albums earned, paid less refunded, by the latest roll-up', async () => {
    const teacher = { id: made++, token: `teacher_${made}` };
    await putCourseUser(api.system.db, { ...teacher, merchant: 'demo', name: '李老师', role: 'teacher' });
    const sum = async () => (await send('/order/sum', { token: teacher.token })).data;
    const [sold, unsold] = [await album(100, teacher.id), await album(100, teacher.id)];
    const buyers = await Promise.all([student(), student()]);
    for (const buyer of buyers) {
      const [{ trade_no }] = (await create(buyer, sold)).data.items;
      const notice = signed({ result: '2', trade_no, third_trade_no: `T${trade_no}`, amount: '1.00' });
      expect(await send('/orders/wxpay', notice)).toEqual({ code: 0 });
    }
    await create(buyers[0]!, unsold);
    await create(buyers[0]!, await album(0, teacher.id));
    const [{ status, body }] = await Promise.all([run(OPERATOR_KEY), run(OPERATOR_KEY), run(OPERATOR_KEY)]);
    expect(status).toBe(200);
    const { items, count } = await sum();
    expect({ count, items }).toEqual({
      count: 1,
      items: [{ album_id: String(sold), title: '我的直播课', total: '2.00', timestamp: items[0].timestamp }],
    });
    expect(items[0].timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(body.data.items).toContainEqual(items[0]);
    await run(OPERATOR_KEY);
    expect((await sum()).items).toMatchObject([{ total: '2.00' }]);
    expect((await send('/order/sum', { token: buyers[0]!.token })).code).toBe(CODE.forbidden);
  });

  it('go down by what is refunded', async () => {
    const one = await ordered({ price: 100 });
    await open(one, 'wechatpay.native');
    await pay(one, 'wechatpay');
    await whenPaid(one);
    const total = async () => {
      await run(OPERATOR_KEY);
      const { items } = (await send('/order/sum', { token: TEACHER.token })).data;
      return items.find((item: any) => item.album_id === String(one.album_id)).total;
    };
    expect(await total()).toBe('1.00');
    await refunded(one, { amount: 30 });
    await until(one.native, ({ refund_status }) => refund_status === 'partial');
    expect(await total()).toBe('0.70');
    await refunded(one);
    await until(one.native, ({ refund_status }) => refund_status === 'full');
    expect(await total()).toBe('0.00');
  });

  it('are run by those who may, and by a Schedule', async () => {
    expect((await run('sk_test_nobody')).status).toBe(401);
    expect((await run(await addKey(api.system, 'sk_test_reader', ['orders:read']))).status).toBe(403);
    expect((await run(OTHER_KEY)).body.data.items).toEqual([]);
    const schedule = await api.system.client.schedule.getHandle(`${api.system.taskQueue}-rollUp`).describe();
    expect(schedule.action).toMatchObject({ type: 'startWorkflow', workflowType: 'rollUp' });
    const before = new Date();
    await api.system.client.schedule.getHandle(`${api.system.taskQueue}-rollUp`).trigger();
    await until(
      () => api.system.db.selectFrom('rollups').select('until').executeTakeFirst(),
      (row) => row !== undefined && row.until >= before,
    );
  });
});

it('makes room for a new order once it has expired', async () => {
  const { buyer, album_id, item, native } = expiring;
  await until(native, ({ status }) => status === 'cancelled');
  const anew = (await create(buyer, album_id)).data.items[0];
  expect(anew).toMatchObject({ status: 0 });
  expect(anew.id).not.toBe(item.id);
});

it('is paid at a provider where nobody here had opened it, and no notice comes', async () => {
  const one = await elsewhere;
  await whenPaid(one, 60_000);
  expect(await one.read()).toMatchObject({ pay_status: '2', servicer: '1' });
  await replay(api.system, one.id, 'paid-elsewhere');
}, 90_000);
