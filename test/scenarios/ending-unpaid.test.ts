import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IN_WECHAT, pause, Shop, type Sale } from './shop.ts';

/** Scenarios 19, 21, 22, 24, and what becomes of money that an order did not get. */

/** Seconds: enough for a slow machine to open a payment in. */
const SOON = 10;

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop?.close());

const pastExpiry = (sale: Sale, ms: number) => pause(Date.parse(sale.created.expires_at) + ms - Date.now());
const refusedAsExpired = async (sale: Sale) => {
  for (const [path, body] of [
    ['/payments', { method: 'wechatpay.native' }],
    ['/confirm', {}],
    ['/cancel', { reason: 'late' }],
  ] as const)
    expect(await sale.call('POST', path, body)).toMatchObject({ status: 409, body: { code: 'order_expired' } });
  expect((await sale.call('GET', '')).status).toBe(200);
};

describe.concurrent('an order that nobody paid in time', () => {
  it('is closed at the provider first, then expires, once; nothing can be done with it any more (19, 24)', async () => {
    const sale = await shop.sells({ expires_in: SOON });
    const payment = await sale.opens();
    expect(await sale.isCancelled()).toMatchObject({ cancel_reason: 'expired', payments: [{ status: 'closed' }] });
    expect(await sale.story()).toEqual(['order.created', 'payment.opened', 'payment.closed', 'order.expired']);
    expect(await sale.buyer(payment, 'pay')).toBe(409);
    await refusedAsExpired(sale);
  });

  it('gives back by itself what is paid after closing, also when Temporal has forgotten it (21)', async () => {
    const sale = await shop.sells({ expires_in: SOON });
    const payment = await sale.opens();
    await sale.isCancelled();
    await shop.temporalForgets(sale);
    expect(await sale.buyer(payment, 'pay', { force: true })).toBe(200);
    const order = await sale.becomes(({ refunds }) => refunds[0]?.status === 'succeeded');
    expect(order).toMatchObject({
      status: 'cancelled',
      cancel_reason: 'expired',
      refund_status: 'none',
      amounts: { paid: 0, refunded: 0 },
      payments: [{ status: 'refunded' }],
      refunds: [{ origin: 'late_payment', amount: 3000, reviewer: null }],
    });
    expect([await sale.net(), await sale.attention(), await sale.happened('order.paid')]).toEqual([0, [], 0]);
  });

  it('gives disputed money back when it ends', async () => {
    const sale = await shop.sells({ expires_in: SOON });
    const payment = await sale.opens();
    await sale.buyer(payment, 'pay', { amount: 2999 });
    await sale.becomes(({ attention }) => attention.some(({ code }: { code: string }) => code === 'payment_disputed'));
    await sale.isCancelled();
    const { refunds } = await sale.becomes((order) => order.refunds[0]?.status === 'succeeded');
    expect(refunds).toMatchObject([{ origin: 'disputed_payment', amount: 2999 }]);
    expect([await sale.net(), await sale.attention()]).toEqual([0, []]);
  });
});

describe.concurrent('an order that is cancelled unpaid', () => {
  it('by its customer closes what is open; money that comes all the same goes back', async () => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    const cancelled = await sale.call('POST', '/cancel', { reason: 'no more' }, { key: sale.customer() });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', cancel_reason: 'customer' } });
    await sale.buyer(payment, 'pay', { force: true });
    const { refunds } = await sale.becomes((order) => order.refunds[0]?.status === 'succeeded');
    expect(refunds).toMatchObject([{ origin: 'late_payment', amount: 3000 }]);
    expect(await sale.read()).toMatchObject({ status: 'cancelled', cancel_reason: 'customer' });
    expect(await sale.net()).toBe(0);
  });
});

describe.concurrent('money of a wrong amount', () => {
  it('goes back where another attempt pays', async () => {
    const sale = await shop.sells();
    await sale.buyer(await sale.opens(), 'pay', { amount: 3001 });
    await sale.becomes(({ payments }) => payments[0].status === 'disputed');
    await sale.pays(IN_WECHAT);
    const order = await sale.becomes(({ refunds }) => refunds[0]?.status === 'succeeded');
    expect(order).toMatchObject({ status: 'paid', refunds: [{ origin: 'disputed_payment', amount: 3001 }] });
    expect([await sale.net(), await sale.attention()]).toEqual([3000, []]);
  });

  it.each([
    ['return', 0, 'pending_payment', 'refund.requested'],
    ['accept', 3000, 'paid', 'order.paid'],
  ])('that a person resolves with "%s" leaves %i of it', async (decision, net, status, type) => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    await sale.buyer(payment, 'pay', { amount: 3500 });
    await sale.becomes(({ payments }) => payments[0].status === 'disputed');
    const answer = await sale.resolves(payment, decision);
    expect(answer.status).toBe(200);
    await sale.becomes(({ refunds }) => refunds[0]?.status === 'succeeded');
    expect(await sale.read()).toMatchObject({ status, refunds: [{ amount: 3500 - net }] });
    expect((await sale.events()).find((one) => one.type === type).actor).toEqual({
      type: 'operator',
      name: 'Demo Operator',
    });
    expect([await sale.net(), await sale.attention()]).toEqual([net, []]);
  });
});

it('a return that fails is shown, and tried again: by hand, under a new number (21)', async () => {
  const sale = await shop.sells({ expires_in: SOON });
  const payment = await sale.opens();
  await sale.isCancelled();
  await shop.faults({ refund_fails: true });
  await sale.buyer(payment, 'pay', { force: true });
  const { refunds } = await sale.becomes(({ attention }) => attention.length > 0);
  expect(refunds).toMatchObject([{ status: 'failed', failure: expect.any(String), origin: 'late_payment' }]);
  expect(await sale.attention()).toEqual(['refund_failed']);
  await shop.noFaults();
  expect((await sale.retries()).status).toBe(200);
  const again = await sale.refundBecomes(refunds[0].id, 'succeeded');
  expect(again.out_refund_no).not.toBe(refunds[0].out_refund_no);
  expect([await sale.net(), await sale.attention()]).toEqual([0, []]);
});

describe('an order whose provider is away', () => {
  it('is not called expired until it is known; then it expires, or is paid (22, 24)', async () => {
    const [unpaid, paid] = [await shop.sells({ expires_in: SOON }), await shop.sells({ expires_in: SOON })];
    const payments = [await unpaid.opens(), await paid.opens()];
    await shop.faults({ error_rate: 1, drop_notices: true });
    expect(await paid.buyer(payments[1], 'pay')).toBe(200);
    await pastExpiry(paid, 2_000);
    for (const sale of [unpaid, paid]) {
      expect(await sale.read()).toMatchObject({ status: 'pending_payment', cancel_reason: null });
      await refusedAsExpired(sale);
    }
    await shop.noFaults();
    expect(await unpaid.isCancelled(60_000)).toMatchObject({
      cancel_reason: 'expired',
      payments: [{ status: 'closed' }],
    });
    expect(await paid.isPaid(60_000)).toMatchObject({ status: 'paid', cancel_reason: null });
    expect([await unpaid.happened('order.expired'), await paid.happened('order.expired')]).toEqual([1, 0]);
  });
});
