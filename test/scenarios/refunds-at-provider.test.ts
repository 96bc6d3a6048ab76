import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/orders.ts';
import { MINI_PROGRAM, NATIVE, Shop } from './shop.ts';

/** Scenarios 30 to 33, with workers that remember no order: every task replays it from its start. */

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open(undefined, { cachedOrders: 0 });
});
afterEach(() => shop.noFaults());
afterAll(() => shop?.close());

describe('a refund at its provider', () => {
  it('whose call got no answer, but came through, is found by asking, and made once (30)', async () => {
    const sale = await shop.sold();
    await shop.faults({ timeout_rate: 1, drop_notices: true });
    const refund = await sale.refunds({ amount: 900 });
    await until(sale.paidBack, (back) => back.length > 0);
    await shop.noFaults();
    await sale.refundBecomes(refund.id, 'succeeded', 50_000);
    expect(await sale.paidBack()).toMatchObject([{ amount: 900 }]);
    expect(await sale.happened('refund.succeeded')).toBe(1);
  });

  it('whose notice overtakes the answer, and comes six times, succeeds once (31)', async () => {
    const sale = await shop.sold();
    await shop.faults({ latency_ms: 3_000, duplicate_notices: 5, refund_delay_ms: 0 });
    const refund = await sale.refunds({ amount: 900 });
    const settled = await sale.refundBecomes(refund.id, 'succeeded');
    expect(Date.parse(settled.settled_at) - Date.parse(settled.reviewed_at)).toBeLessThan(3_000);
    await shop.noFaults();
    await sale.takesIn();
    expect(await sale.happened('refund.succeeded')).toBe(1);
  });

  it('approved while the money of another attempt comes late: each goes back once', async () => {
    const sale = await shop.sells();
    const first = await sale.opens(NATIVE);
    const second = await sale.opens(MINI_PROGRAM);
    await sale.becomes(({ payments }) => payments[0].status === 'closed');
    expect(await sale.buyer(second, 'pay')).toBe(200);
    await sale.isPaid();
    const refund = await sale.applies({ amount: 900 });
    await shop.faults({ duplicate_notices: 3 });
    const approve = () => sale.decides(refund, 'approve');
    const [one, late, two] = await Promise.all([approve(), sale.buyer(first, 'pay', { force: true }), approve()]);
    expect([one.status, late, two.status]).toEqual([200, 200, 200]);
    const settled = ({ refunds }: any) => refunds.filter(({ status }: any) => status === 'succeeded').length === 2;
    const order = await sale.becomes(settled, 50_000);
    await sale.takesIn();
    expect(order).toMatchObject({ refund_status: 'partial', amounts: { paid: 3000, refunded: 900 } });
    expect(order.refunds.map(({ origin }: any) => origin)).toEqual(['merchant', 'duplicate_payment']);
    expect([await sale.happened('refund.succeeded'), await sale.net()]).toEqual([2, 2100]);
  });

  it('that fails frees its amount, is shown, and is replaced by a new application (32)', async () => {
    const sale = await shop.sold();
    await shop.faults({ refund_fails: true });
    const refund = await sale.refunds();
    expect(await sale.refundBecomes(refund.id, 'failed')).toMatchObject({ failure: expect.any(String) });
    expect(await sale.read()).toMatchObject({ refund_status: 'pending', amounts: { refunded: 0 } });
    expect([await sale.happened('refund.failed'), await sale.attention()]).toEqual([1, ['refund_failed']]);
    await shop.noFaults();
    const again = await sale.refunds();
    await sale.refundBecomes(again.id, 'succeeded');
    expect(await sale.read()).toMatchObject({ refund_status: 'full', cancel_reason: 'refunded', attention: [] });
    expect(await sale.net()).toBe(0);
  });

  it('that comes too soon after another one waits, and does not fail', async () => {
    const sale = await shop.sold();
    await shop.faults({ refund_gap_ms: 5_000 });
    const [one, two] = [await sale.applies({ amount: 1000 }), await sale.applies({ amount: 2000 })];
    await Promise.all([sale.decides(one, 'approve'), sale.decides(two, 'approve')]);
    await sale.becomes(({ refund_status }) => refund_status === 'full', 50_000);
    expect([await sale.happened('refund.failed'), await sale.net()]).toEqual([0, 0]);
  });

  it('that takes its time is processing until it settles (33)', async () => {
    const sale = await shop.sold();
    await shop.faults({ refund_delay_ms: 600_000 });
    const { id } = await sale.refunds();
    await sale.refundBecomes(id, 'processing');
    expect(await sale.read()).toMatchObject({ refund_status: 'pending', attention: [] });
    await shop.noFaults();
    await sale.refundBecomes(id, 'succeeded');
  });
});
