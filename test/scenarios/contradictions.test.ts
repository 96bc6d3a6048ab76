import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { send } from './letterbox.ts';
import { refundEnded, trustedPlatform, type Platform } from './platform.ts';
import { Shop, type Sale } from './shop.ts';

/** A provider that takes back what it said of a refund. The books of these orders are the test's own. */

let shop: Shop;
let platform: Platform;
beforeAll(async () => {
  shop = await Shop.open();
  platform = await trustedPlatform(shop.api.system);
});
afterEach(() => shop.noFaults());
afterAll(() => shop?.stop());

const says = async (sale: Sale, refund: { out_refund_no: string }, status: 'SUCCESS' | 'CLOSED') => {
  const [payment] = (await sale.read()).payments;
  expect((await send(shop.api.url, platform.letter(refundEnded(payment, refund, status)))).status).toBe(204);
  await sale.takesIn();
};
const ledger = async (sale: Sale) => {
  const rows = await shop.api.system.db.selectFrom('ledger').selectAll().where('order_id', '=', sale.id).execute();
  return rows
    .map(({ type, amount, reference }) => (type === 'refund' ? `${amount} ${reference}` : `${amount}`))
    .toSorted();
};

describe('a refund', () => {
  it('that succeeded and is reported as failed later is taken back into account, and can be replaced', async () => {
    const sale = await shop.sold();
    const { id } = await sale.refunds({ amount: 1000 });
    const refund = await sale.refundBecomes(id, 'succeeded');
    await says(sale, refund, 'CLOSED');
    expect(await sale.read()).toMatchObject({ refund_status: 'pending', amounts: { refunded: 0, paid: 3000 } });
    expect([await sale.attention(), await ledger(sale)]).toEqual([['refund_failed'], ['3000']]);
    const again = await sale.refunds({ amount: 1000 });
    await sale.refundBecomes(again.id, 'succeeded');
    expect(await sale.read()).toMatchObject({ refund_status: 'partial', amounts: { refunded: 1000 }, attention: [] });
  });

  it('that had failed and succeeds all the same counts, as long as nobody else has its amount', async () => {
    const sale = await shop.sold();
    await shop.faults({ refund_delay_ms: 3_600_000 });
    const { id } = await sale.refunds({ amount: 1000 });
    const refund = await sale.refundBecomes(id, 'processing');
    await says(sale, refund, 'CLOSED');
    expect(await sale.attention()).toEqual(['refund_failed']);
    await says(sale, refund, 'SUCCESS');
    expect(await sale.read()).toMatchObject({ refund_status: 'partial', amounts: { refunded: 1000 }, attention: [] });
  });

  it('that went out under both of its numbers is booked twice, told, and shown until somebody has seen it', async () => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    await sale.buyer(payment, 'pay', { amount: 3500 });
    await sale.becomes(({ payments }) => payments[0].status === 'disputed');
    await shop.faults({ refund_delay_ms: 3_600_000 });
    await sale.resolves(payment, 'accept'); // The 5.00 that are over go back by themselves.
    const processing = ({ refunds }: any) => refunds[0]?.status === 'processing';
    const [first] = (await sale.becomes(processing)).refunds;
    await says(sale, first, 'CLOSED');
    await sale.retries();
    const [second] = (
      await sale.becomes((order) => processing(order) && order.refunds[0].out_refund_no !== first.out_refund_no)
    ).refunds;
    await shop.noFaults(); // Now both go through.
    await sale.becomes(({ attention }) => attention.some(({ code }: any) => code === 'refunded_twice'), 60_000);
    await sale.refundBecomes(first.id, 'succeeded');
    const numbers = [first.out_refund_no, second.out_refund_no];
    expect(await ledger(sale)).toEqual(['3500', ...numbers.map((number) => `500 ${number}`)].toSorted());
    expect(await sale.net()).toBe(2500);
    expect(await sale.happened('refund.succeeded')).toBe(1);
    expect(await sale.read()).toMatchObject({ status: 'paid', amounts: { paid: 3000, refunded: 0 } });
    expect((await sale.retries()).status).toBe(200);
    expect(await sale.attention()).toEqual([]);
  });
});
