import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { control, faults, noFaults, until } from '../support/orders.ts';
import { OPERATOR_KEY, startApi, tea, type CallOptions, type TestApi } from './support.ts';

/** Both flows of docs/order-flows.md, over HTTP; what the page names must have been called or seen. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

/** What was called and seen so far, as the page names it. */
const met = new Set<string>();

/** Each field with what it held; absent values are null, and show nothing. */
function see(name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  if (typeof value !== 'object')
    met.add(name).add(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  else if (!Array.isArray(value)) for (const [field, part] of Object.entries(value)) see(`${name}.${field}`, part);
}

function seeOrder(order: any): void {
  see('order', order);
  for (const item of order.items) see('item', item);
  for (const payment of order.payments) see('payment', payment);
  for (const refund of order.refunds) see('refund', refund);
}

let documented: string[] = [];
async function call(request: string, body?: unknown, options?: CallOptions): Promise<any> {
  const [method, path] = request.split(/[ ?]/);
  const named = documented.find((one) => new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(`${method} ${path}`));
  expect(named, `${request} is a documented call`).toBeDefined();
  met.add(named!);
  const answer = await api.call(request, body, options);
  if (answer.status >= 400) see('problem', answer.body);
  return answer.body;
}

/** One order, read until it is so. */
async function read(id: string, isSo: (order: any) => boolean): Promise<any> {
  const order = await until(() => call(`GET /v1/orders/${id}`), isSo, 40_000);
  seeOrder(order);
  return order;
}
const becomes = (id: string, status: string) => read(id, (order) => order.status === status);

async function page(order: any, says: string): Promise<void> {
  const show = async () => (await fetch(order.checkout_url, { headers: { 'accept-language': 'zh-CN' } })).text();
  await until(show, (html) => html.includes(says));
  met.add(`page ${says}`);
}

async function events(id: string): Promise<void> {
  for (const { type } of (await call(`GET /v1/orders/${id}/events`)).data) met.add(`event ${type}`);
}

const paysBy = async (id: string, method: string) => {
  const payment = await call(`POST /v1/orders/${id}/payments`, { method });
  see('payment', payment);
  return payment;
};
const buyer = (payment: any, action: string) => control(api.system, payment.out_trade_no, { action });

async function generalFlow(): Promise<void> {
  const terms = {
    discount: 500,
    delivery_fee: 800,
    delivery: { name: '李雷', phone: '13800000000', address: '上海市南京路1号' },
    customer: { id: 'u-1', email: 'li@example.com' },
    confirm: false,
  };
  const order = await call('POST /v1/orders', tea(terms));
  const { id, items } = await becomes(order.id, 'awaiting_confirmation');
  await call(`POST /v1/orders/${id}/confirm`);
  await becomes(id, 'pending_payment');
  for (const method of (await call('GET /v1/payment-methods?currency=CNY&amount=3300')).data) see('method', method);
  const payment = await paysBy(id, 'wechatpay.native');
  await buyer(payment, 'start');
  await becomes(id, 'paying');
  await buyer(payment, 'pay');
  await becomes(id, 'paid');
  expect(await call(`POST /v1/orders/${id}/payments`, { method: 'alipay.page' })).toMatchObject({
    code: 'already_paid',
  });
  const delivery = `POST /v1/orders/${id}/items/${items[0].id}/delivery`;
  await call(delivery, { status: 'delivering', tracking: { carrier: 'SF', number: 'SF1' } });
  await becomes(id, 'processing');
  await call(delivery, { status: 'delivered' });
  await call(`POST /v1/orders/${id}/receipt`);
  await call(`POST /v1/orders/${id}/review`, { rating: 5, comment: '很好' });
  await becomes(id, 'completed');
  await events(id);
  const another = await call('POST /v1/orders', tea());
  await call(`POST /v1/orders/${another.id}/cancel`, { reason: 'changed my mind' });
  await becomes(another.id, 'cancelled');
  await events(another.id);
  await cancelledByCustomer();
}

async function cancelledByCustomer(): Promise<void> {
  const { id, checkout_url } = await call('POST /v1/orders', tea());
  const key = new URL(checkout_url).searchParams.get('token');
  await call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' }, { key });
  await becomes(id, 'cancelled');
}

/** The simulator refuses bar codes that end in 9. */
const FAILS = '280000000000000009';
async function shopFlow(): Promise<void> {
  const order = await call('POST /v1/orders', tea());
  await page(order, '选择支付方式');
  await call(`POST /v1/orders/${order.id}/payments`, { method: 'alipay.barcode', auth_code: FAILS });
  await read(order.id, ({ payments }) => payments[0].status === 'failed');
  await page(order, '支付失败');
  await paysBy(order.id, 'alipay.page');
  await buyer(await paysBy(order.id, 'wechatpay.native'), 'pay');
  await becomes(order.id, 'paid');
  await page(order, '支付成功');
  const refunds = `POST /v1/orders/${order.id}/refunds`;
  const applies = async (reason: string) => {
    const { id } = await call(refunds, { reason });
    await read(order.id, ({ refund_status }) => refund_status === 'requested');
    expect((await call('GET /v1/refunds?status=requested')).data).toMatchObject([{ id, reason }]);
    return (decision: string, note: string) => call(`${refunds}/${id}/${decision}`, { note }, { key: OPERATOR_KEY });
  };
  await (
    await applies('不喜欢')
  )('reject', '已使用');
  await faults(api.system, { refund_fails: true });
  await (
    await applies('质量问题')
  )('approve', '同意退款');
  await read(order.id, (seen) => seen.refunds.at(-1).status === 'failed');
  await page(order, '退款失败');
  await noFaults(api.system);
  await (
    await applies('质量问题')
  )('approve', '再次退款');
  await read(order.id, ({ refund_status }) => refund_status === 'full');
  await page(order, '已退款');
  await events(order.id);
}

async function noticed(about: 'payment' | 'refund'): Promise<boolean> {
  const notice = await api.system.db
    .selectFrom('notices')
    .select('id')
    .where('processed_at', 'is not', null)
    .where(sql`body ->> 'about'`, '=', about)
    .executeTakeFirst();
  return notice !== undefined;
}

it('what docs/order-flows.md names is called and seen in both flows', async () => {
  const { paths } = (await api.call('GET /openapi.json', undefined, { key: null })).body;
  documented = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  await Promise.all([generalFlow(), shopFlow()]);
  // The simulated providers called it, about both.
  if ((await noticed('payment')) && (await noticed('refund'))) met.add('POST /webhooks/{provider}/{merchant}');
  const text = readFileSync(new URL('../../docs/order-flows.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  const named = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((name) => !met.has(name))).toEqual([]);
});
