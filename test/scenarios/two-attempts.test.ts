import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IN_WECHAT, MINI_PROGRAM, NATIVE, Shop } from './shop.ts';

/** Scenarios 7, 8, 10, 15: several attempts for one order. */

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop?.close());

describe.concurrent('several attempts', () => {
  it.each([
    ['at one provider', IN_WECHAT],
    ['at two providers', { method: 'unionpay.qr' }],
  ])('both paid, %s: the order is paid once, the other money goes back by itself (7)', async (_, other) => {
    const sale = await shop.sells();
    const first = await sale.opens(NATIVE);
    const second = await sale.opens(other);
    await sale.becomes(({ payments }) => payments[0].status === 'closed');
    expect(await sale.buyer(second, 'pay')).toBe(200);
    await sale.isPaid();
    expect(await sale.buyer(first, 'pay', { force: true })).toBe(200);
    const order = await sale.becomes(({ refunds }) => refunds[0]?.status === 'succeeded');

    expect(order).toMatchObject({
      status: 'paid',
      refund_status: 'none',
      amounts: { total: 3000, paid: 3000, refunded: 0 },
      payments: [{ status: 'refunded' }, { status: 'succeeded' }],
      refunds: [{ origin: 'duplicate_payment', amount: 3000, reviewer: null }],
    });
    expect(await sale.story()).toEqual([
      'order.created',
      'payment.opened',
      'payment.closed',
      'payment.opened',
      'order.paid',
      'refund.requested',
      'refund.succeeded',
    ]);
    expect(await sale.net()).toBe(3000);
    expect(await sale.attention()).toEqual([]);
  });

  it('that were asked for at once, by several methods, leave one that is open (8)', async () => {
    const sale = await shop.sells();
    const methods = [NATIVE, IN_WECHAT, MINI_PROGRAM];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sale.call('POST', '/payments', methods[index % methods.length])),
    );
    for (const { status, body } of answers) expect([201, 409], JSON.stringify(body)).toContain(status);
    const { payments } = await sale.becomes((order) => openOnes(order).length <= 1);
    const [open] = payments.filter(({ status }: { status: string }) => status === 'pending');
    for (const one of payments.filter((payment: object) => payment !== open))
      // One that was closed before its provider had heard of it is not known there.
      expect([404, 409]).toContain(await sale.buyer(one, 'pay'));
    await sale.buyer(open, 'pay');
    await sale.isPaid();
  });
  const openOnes = ({ payments }: { payments: { status: string }[] }) =>
    payments.filter(({ status }) => status === 'pending' || status === 'processing');

  it('where the earlier one turns out to be paid: it pays the order, and the new one is closed (10)', async () => {
    const sale = await shop.sells();
    const first = await sale.opens(NATIVE);
    const paying = [sale.buyer(first, 'pay'), sale.call('POST', '/payments', IN_WECHAT)] as const;
    const [, changed] = await Promise.all(paying);
    expect([201, 409]).toContain(changed.status);
    const order = await sale.isPaid();
    expect(order.payments[0].status).toBe('succeeded');
    if (changed.status === 201) expect(await sale.buyer(changed.body, 'pay')).toBe(409);
    expect(await sale.net()).toBe(3000);
  });

  it('success after a failed or closed attempt pays; what comes then changes nothing (15)', async () => {
    const sale = await shop.sells();
    const first = await sale.opens(NATIVE);
    const second = await sale.opens(MINI_PROGRAM);
    await sale.becomes(({ payments }) => payments[0].status === 'closed');
    await sale.buyer(first, 'pay', { force: true });
    const order = await sale.isPaid();
    expect(order.payments[0].status).toBe('succeeded');
    const after = await sale.becomes(({ payments }) => payments[1].status === 'closed');
    expect(after).toMatchObject({ status: 'paid', amounts: { paid: 3000 } });
    expect(await sale.buyer(second, 'pay')).toBe(409);
  });
});
