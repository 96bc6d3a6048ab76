import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutToken } from '../../api/checkout-token.ts';
import type { ApiDeps } from '../../api/env.ts';
import { textsIn } from '../../chaos/leaks.ts';
import { connect } from '../../db/connect.ts';
import type { Notice, PaymentProvider } from '../../providers/provider.ts';
import { faults, noFaults, until } from '../support/orders.ts';
import { addKey, anotherApi, OPERATOR_KEY, startApi, tea, type Call, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const order = async (more = {}) => (await api.call('POST /v1/orders', tea(more))).body;
const open = async (id: string) =>
  (await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' })).body;
const buyer = async (outTradeNo: string, body: Record<string, unknown>) => {
  const response = await fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
};
const reads = (id: string) => async () => (await api.call(`GET /v1/orders/${id}`)).body;
const paidOrder = async (more = {}) => {
  const { id } = await order(more);
  await buyer((await open(id)).out_trade_no, { action: 'pay' });
  return until(reads(id), ({ status }) => status !== 'pending_payment' && status !== 'paying');
};

describe('a payment', () => {
  it('is opened, paid by the buyer, and told by the provider’s notice', async () => {
    const { id } = await order();
    const payment = await open(id);
    expect(payment).toMatchObject({ status: 'pending', amount: 3000, method: 'wechatpay.native' });
    expect(payment.action).toMatchObject({ type: 'qr', content: expect.stringMatching(/^http/) });
    expect((await open(id)).id).toBe(payment.id);
    await buyer(payment.out_trade_no, { action: 'pay' });
    const paid = await until(reads(id), ({ status }) => status === 'paid');
    expect(paid).toMatchObject({ amounts: { paid: 3000 }, payments: [{ status: 'succeeded' }] });
    const read = await api.call(`GET /v1/orders/${id}/payments/${payment.id}`);
    expect(read.body).toEqual(paid.payments[0]);
    const again = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
    expect(again).toMatchObject({ status: 409, body: { code: 'already_paid' } });
  });

  it.each(['alipay.page', 'alipay.wap', 'wechatpay.h5'])(
    'of %s leads the buyer back to the order’s page; its token stands nowhere else',
    async (method) => {
      const { id, checkout_url } = await order();
      const token = new URL(checkout_url).searchParams.get('token')!;
      const ip = method === 'wechatpay.h5' ? { client_ip: '203.0.113.7' } : {};
      const { body } = await api.call(`POST /v1/orders/${id}/payments`, { method, ...ip });
      expect(body.action.url).toContain(token);
      const read = await api.call(`GET /v1/orders/${id}/payments/${body.id}`);
      expect([read.body, (await reads(id)()).payments]).toEqual([body, [body]]);
      const reader = await addKey(api.system, `sk_reads_${method}`, ['orders:read']);
      const seen = await api.call(`GET /v1/orders/${id}`, undefined, { key: reader });
      const history = await api.system.client.workflow.getHandle(`order/${id}`).fetchHistory();
      const payloads = textsIn(history).join();
      expect(payloads).toContain('_hidden');
      const row = await api.system.db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst();
      for (const text of [JSON.stringify(seen.body), payloads, JSON.stringify(row)]) expect(text).not.toContain(token);
    },
  );

  it('is not there for others', async () => {
    const { id } = await order();
    expect((await api.call(`GET /v1/orders/${id}/payments/pay_1`)).status).toBe(404);
  });

  it('is refused where the method is not on offer, and where it is none', async () => {
    const { id } = await order({ currency: 'EUR' });
    const answer = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'payment_method_unavailable', reason: 'currency_not_supported' },
    });
    const none = await api.call(`POST /v1/orders/${id}/payments`, { method: 'cash', client_ip: 'x' });
    expect(none).toMatchObject({ status: 400, body: { errors: [{ path: 'method' }, { path: 'client_ip' }] } });
  });

  it('is opened at most once, however often it is asked for at once', async () => {
    const { id } = await order();
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(id)));
    expect(new Set(answers.map((payment) => payment.id)).size).toBe(1);
    expect((await reads(id)()).payments).toHaveLength(1);
  });

  it('of an order that has expired is refused; the order can be read (scenario 24)', async () => {
    const { id } = await order({ expires_in: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const [call, body] of [
      ['payments', { method: 'wechatpay.native' }],
      ['confirm', {}],
      ['cancel', { reason: 'late' }],
    ] as const)
      expect(await api.call(`POST /v1/orders/${id}/${call}`, body)).toMatchObject({
        status: 409,
        body: { code: 'order_expired' },
      });
    const { body } = await api.call(`GET /v1/orders/${id}`);
    expect(body.id).toBe(id);
  });

  it('goes on after the provider was silent', async () => {
    const { id } = await order();
    await faults(api.system, { timeout_rate: 1 });
    const silent = await api.call(
      `POST /v1/orders/${id}/payments`,
      { method: 'wechatpay.native' },
      { idempotencyKey: 's' },
    );
    await noFaults(api.system);
    expect(silent).toMatchObject({ status: 503, body: { code: 'provider_unavailable' } });
    const again = await api.call(
      `POST /v1/orders/${id}/payments`,
      { method: 'wechatpay.native' },
      { idempotencyKey: 's' },
    );
    expect(again).toMatchObject({ status: 201, body: { action: { type: 'qr' } } });
    expect((await reads(id)()).payments).toHaveLength(1);
  });
});

describe('what can be paid with', () => {
  const reason = async (query: string, key?: string) => {
    const { body } = await api.call(`GET /v1/payment-methods${query}`, undefined, key ? { key } : {});
    return body.data.find(({ method }: { method: string }) => method === 'wechatpay.native');
  };
  it('depends on currency and amount', async () => {
    expect(await reason('?currency=CNY&amount=100')).toMatchObject({ available: true, reason: null });
    expect(await reason('')).toMatchObject({ available: true });
    expect(await reason('?currency=USD&amount=100')).toMatchObject({ reason: 'currency_not_supported' });
    expect(await reason('?currency=CNY&amount=0')).toMatchObject({ reason: 'amount_too_small' });
    expect(await reason('', 'sk_test_other')).toMatchObject({ available: false, reason: 'not_offered' });
  });
  it('and on what its provider takes at most', async () => {
    const { body } = await api.call('GET /v1/payment-methods?currency=CNY&amount=99999999999');
    const tooDear = body.data.filter((one: { reason: string }) => one.reason === 'amount_too_large');
    const names = ['alipay.page', 'alipay.wap', 'alipay.qr', 'alipay.barcode', 'card.stripe'];
    expect(tooDear.map(({ method }: { method: string }) => method)).toEqual(names);
  });
  it.each(['currency=yuan', 'amount=-1', 'amount=1.5', 'amount=1e3', 'colour=red'])('%s is refused', async (query) => {
    const answer = await api.call(`GET /v1/payment-methods?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: query.split('=')[0] }] } });
  });
  it('for a customer: what the order comes to', async () => {
    const { id } = await order({ currency: 'EUR' });
    expect(await reason('', checkoutToken(api.sealer, id))).toMatchObject({ reason: 'currency_not_supported' });
  });
});

describe('money of a wrong amount', () => {
  it('is disputed, until a person gives it back or accepts it', async () => {
    const { id } = await order();
    const { id: payment, out_trade_no } = await open(id);
    await buyer(out_trade_no, { action: 'pay', amount: 3500 });
    const disputed = await until(reads(id), ({ payments }) => payments[0].status === 'disputed');
    expect(disputed).toMatchObject({ status: 'pending_payment', attention: [{ code: 'payment_disputed' }] });
    const resolve = `POST /v1/orders/${id}/payments/${payment}/resolve`;
    expect((await api.call(resolve, { decision: 'accept' })).body.errors).toMatchObject([{ path: 'note' }]);
    const answer = await api.call(resolve, { decision: 'accept', note: 'fine' }, { key: OPERATOR_KEY });
    expect(answer).toMatchObject({ status: 200, body: { id: payment, status: 'succeeded' } });
    expect((await reads(id)()).status).toBe('paid');
    expect(await api.call(resolve, { decision: 'return', note: 'no' })).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
  });
});

describe('a notice', () => {
  const url = '/webhooks/wechatpay/demo';
  const notices = async () =>
    (await api.system.db.selectFrom('notices').selectAll().execute()) as {
      order_id: string | null;
      notice_id: string;
    }[];

  /** Notices as if the provider had sent them, verified. */
  async function verified(noticeId: string, outTradeNo: string, change: Partial<ApiDeps> = {}): Promise<Call> {
    const provider = (await api.deps.findProvider('demo', 'wechatpay'))!;
    const notice: Notice = {
      id: noticeId,
      account: { merchantNo: '1900000109', appId: 'wxd678efh567hg6787' },
      outTradeNo,
      about: 'payment',
      payment: { state: 'processing' },
    };
    const reading: PaymentProvider = { ...provider, readNotice: () => Promise.resolve(notice) };
    return anotherApi(api, { findProvider: () => Promise.resolve(reading), ...change });
  }
  const metric = async (outcome: string) => {
    const { body } = await api.call('GET /metrics', undefined, { key: null });
    return Number(new RegExp(`provider="wechatpay",outcome="${outcome}"\\} (\\d+)`).exec(body)?.[1] ?? 0);
  };

  it('with a wrong signature changes nothing, and is counted', async () => {
    const before = (await notices()).length;
    const rejected = await metric('rejected');
    const headers = {
      'wechatpay-serial': 'PUB_KEY_ID_x',
      'wechatpay-signature': 'AAAA',
      'wechatpay-nonce': 'x',
      'wechatpay-timestamp': String(Math.floor(Date.now() / 1000)),
    };
    for (const sent of [headers, {}]) {
      const answer = await api.call(`POST ${url}`, { id: 'x' }, { key: null, headers: sent as Record<string, string> });
      expect(answer).toMatchObject({ status: 401, body: { code: 'FAIL' } });
    }
    expect((await notices()).length).toBe(before);
    expect(await metric('rejected')).toBe(rejected + 2);
  });

  it('of a provider or merchant that is not known is not found; a large one is too large', async () => {
    for (const path of ['/webhooks/wechatpay/nobody', '/webhooks/cash/demo', '/webhooks/wechatpay/%00'])
      expect((await api.call(`POST ${path}`, {}, { key: null })).status).toBe(404);
    const large = await api.call(`POST ${url}`, undefined, { key: null, raw: 'x'.repeat(64 * 1024 + 1) });
    expect(large.status).toBe(413);
  });

  it('is kept once, however often it comes; its order is told once', async () => {
    const { id } = await order();
    const { out_trade_no } = await open(id);
    const before = await metric('repeated');
    await faults(api.system, { duplicate_notices: 99 });
    await buyer(out_trade_no, { action: 'pay' });
    await until(
      () => metric('repeated'),
      (repeated) => repeated >= before + 99,
    );
    await until(reads(id), ({ status }) => status === 'paid');
    await noFaults(api.system);
    expect((await notices()).filter(({ order_id }) => order_id === id)).toHaveLength(1);
    const { body } = await api.call(`GET /v1/orders/${id}/events`);
    expect(body.data.filter(({ type }: { type: string }) => type === 'order.paid')).toHaveLength(1);
  });

  it('is kept and accepted while Temporal is away', async () => {
    const { id } = await order();
    const { out_trade_no } = await open(id);
    const tellNotice = () => Promise.reject(Object.assign(new Error('away'), { code: 14 }));
    const call = await verified('N-1', out_trade_no, { gateway: { ...api.deps.gateway, tellNotice } });
    expect((await call(`POST ${url}`, {}, { key: null })).status).toBe(204);
    expect((await notices()).find(({ notice_id }) => notice_id === 'N-1')).toMatchObject({ order_id: id });
  });

  it('is not accepted while the database is away', async () => {
    const db = connect('postgres://nobody@127.0.0.1:9/nothing');
    const call = await verified('N-2', 'x', { db });
    expect((await call(`POST ${url}`, {}, { key: null })).status).toBeGreaterThanOrEqual(500);
    await db.destroy();
  });

  it('for an order that is not known is kept, and asked for again', async () => {
    const call = await verified('N-3', 'unknown');
    expect((await call(`POST ${url}`, {}, { key: null })).status).toBeGreaterThanOrEqual(500);
    expect((await notices()).find(({ notice_id }) => notice_id === 'N-3')).toMatchObject({ order_id: null });
  });
});

describe('a cancellation', () => {
  it('of an unpaid order closes what is open', async () => {
    const { id } = await order();
    await open(id);
    const answer = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'cancelled', cancel_reason: 'merchant', payments: [{ status: 'closed' }] },
    });
    const again = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'again' });
    expect([again.status, again.body]).toEqual([200, answer.body]);
    expect((await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' })).body.code).toBe(
      'invalid_state',
    );
  });

  it('of a paid one applies for a refund, and holds the dispatch', async () => {
    const { id } = await paidOrder();
    const answer = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'too late?' });
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'paid', refund_status: 'requested', refunds: [{ origin: 'cancellation', amount: 3000 }] },
    });
    const again = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'too late?' });
    expect([again.status, again.body.refunds.length]).toEqual([202, 1]);
  });

  it('that the provider holds up goes on by itself', async () => {
    const { id } = await order();
    await open(id);
    await faults(api.system, { error_rate: 1 });
    const answer = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'x' });
    expect(answer).toMatchObject({ status: 202, body: { status: 'pending_payment' } });
    const pay = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
    expect(pay).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    await noFaults(api.system);
    await until(reads(id), ({ status }) => status === 'cancelled', 40_000);
  });
});
