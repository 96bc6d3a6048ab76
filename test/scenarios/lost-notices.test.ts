import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IN_WECHAT, NATIVE, pause, Shop } from './shop.ts';

/** Scenarios 10, 16, 20, 23, 31: notices that are lost or late, and what is known without them. */

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop?.close());

describe.concurrent('where every notice is lost, an order', () => {
  beforeAll(() => shop.faults({ drop_notices: true }));
  afterAll(() => shop.noFaults());

  it('is paid within a minute, by asking (16)', async () => {
    const sale = await shop.sells();
    await sale.pays();
    expect(await sale.isPaid(60_000)).toMatchObject({ status: 'paid', amounts: { paid: 3000 } });
    expect(await sale.happened('order.paid')).toBe(1);
  });

  it('whose method was changed after it was paid is paid by the first attempt; the new one is closed (10)', async () => {
    const sale = await shop.sells();
    const first = await sale.pays(NATIVE);
    const changed = await sale.call('POST', '/payments', IN_WECHAT);
    expect(changed).toMatchObject({ status: 409, body: { code: 'already_paid' } });
    const order = await sale.becomes(({ payments }) => payments[1]?.status === 'closed');
    expect(order).toMatchObject({ status: 'paid', payments: [{ id: first.id, status: 'succeeded' }, {}], refunds: [] });
    expect(await sale.buyer(order.payments[1], 'pay')).not.toBe(200);
  });

  it('whose cancellation found it paid is paid, and its refund is known to have succeeded (31)', async () => {
    const sale = await shop.sells();
    await sale.pays();
    const answer = await sale.call('POST', '/cancel', { reason: 'too slow' });
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'paid', refund_status: 'requested', refunds: [{ origin: 'cancellation', amount: 3000 }] },
    });
    const [refund] = answer.body.refunds;
    await sale.decides(refund, 'approve');
    expect(await sale.isCancelled(60_000)).toMatchObject({ cancel_reason: 'refunded', refund_status: 'full' });
    expect([await sale.happened('refund.succeeded'), await sale.net()]).toEqual([1, 0]);
  });

  it('whose buyer began to pay and walked away still expires (23)', async () => {
    const sale = await shop.sells({ expires_in: 10 });
    const payment = await sale.opens();
    expect(await sale.buyer(payment, 'start')).toBe(200);
    const order = await sale.isCancelled();
    expect(order).toMatchObject({ cancel_reason: 'expired', payments: [{ status: 'closed' }] });
    expect(Date.now() - Date.parse(sale.created.expires_at)).toBeLessThan(15_000);
    expect(await sale.buyer(payment, 'pay')).toBe(409);
  });
});

describe('where every notice is ten minutes late, an order', () => {
  beforeAll(() => shop.faults({ delay_notices_ms: 600_000 }));

  it('that was paid a second before its expiry is paid and refunded, and what comes then is old news (20, 31)', async () => {
    const sale = await shop.sells({ expires_in: 10 });
    const payment = await sale.opens();
    await pause(Date.parse(sale.created.expires_at) - 1000 - Date.now());
    expect(await sale.buyer(payment, 'pay')).toBe(200);
    expect(await sale.isPaid()).toMatchObject({ status: 'paid', cancel_reason: null });
    const refund = await sale.refunds({ amount: 1000 });
    await sale.refundBecomes(refund.id, 'succeeded', 60_000);
    await shop.noFaults(); // Now they come.
    await shop.noticed([204, 204]);
    await sale.takesIn();
    expect(await sale.story()).toEqual([
      'order.created',
      'payment.opened',
      'order.paid',
      'refund.requested',
      'refund.reviewed',
      'refund.succeeded',
    ]);
    expect(await sale.net()).toBe(2000);
  });
});
