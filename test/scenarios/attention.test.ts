import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { ATTENTION_CODES, type AttentionCode } from '../../domain/attention.ts';
import type { Order, Payment, Refund } from '../../domain/order.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import { run } from '../../orders/program.ts';
import { HUNDRED, Shop, type Sale } from './shop.ts';

/**
 * What needs a person is shown with what to do about it, in API and command line, until it is done. Money that is wrong,
 * foreign or went out twice: forged-notices, contradictions, ending-unpaid.
 */

const MINUTE = 60_000;
let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
  process.env['DATABASE_URL'] = shop.api.system.databaseUrl;
  process.env['TEMPORAL_ADDRESS'] = inject('temporalAddress');
});
afterEach(() => shop.noFaults());
afterAll(async () => {
  delete process.env['DATABASE_URL'];
  delete process.env['TEMPORAL_ADDRESS'];
  await shop?.close();
});

async function orders(line: string): Promise<string> {
  let [out, err] = ['', ''];
  const code = await run(line.split(' '), { out: (text) => (out += text), err: (text) => (err += text) });
  expect([code, err]).toEqual([0, '']);
  return out;
}
/** Both say the code; the command line says what to do as well. */
async function shows(sale: Sale, code: AttentionCode): Promise<void> {
  await sale.becomes(({ attention }) => attention.some((one: { code: string }) => one.code === code));
  expect(await sale.attention()).toEqual([code]);
  expect(await orders(`order show ${sale.id}`)).toContain(ATTENTION_CODES[code]);
  expect(await orders('attention')).toContain(ATTENTION_CODES[code]);
}
const isCalm = ({ attention }: { attention: unknown[] }) => attention.length === 0;

type Moments = Pick<Payment, 'closingSince'> & Pick<Refund, 'owedSince' | 'createdAt'>;
/**
 * What is waited for began that much earlier. The run that knows better is terminated, as an operator can; the next
 * message begins another from what is stored.
 */
async function began(sale: Sale, moment: keyof Moments, msEarlier: number): Promise<void> {
  const { client, db } = shop.api.system;
  await client.workflow.getHandle(orderWorkflowId(sale.id as Order['id'])).terminate('time passes');
  const { book } = await db.selectFrom('orders').select('book').where('id', '=', sale.id).executeTakeFirstOrThrow();
  const earlier = (one: Partial<Moments>) =>
    typeof one[moment] === 'number' ? { ...one, [moment]: one[moment] - msEarlier } : one;
  const changed = { ...book, payments: book.payments.map(earlier), refunds: book.refunds.map(earlier) };
  await db
    .updateTable('orders')
    .set({ book: JSON.stringify(changed) })
    .where('id', '=', sale.id)
    .execute();
}

describe('what can not be done for a quarter of an hour', () => {
  it('a close: shown, tried again by retry, and the order ends', async () => {
    const sale = await shop.sells();
    await sale.opens();
    await shop.faults({ error_rate: 1 });
    expect((await sale.call('POST', '/cancel', { reason: 'no' })).status).toBe(202);
    await began(sale, 'closingSince', 16 * MINUTE);
    await sale.retries();
    await shows(sale, 'closing_delayed');
    expect((await sale.read()).status).toBe('pending_payment');
    await shop.noFaults();
    expect(await orders(`retry ${sale.id}`)).toContain('was asked to try again');
    expect(await sale.isCancelled()).toMatchObject({ cancel_reason: 'merchant', attention: [] });
  });

  it('a refund: shown, tried again by retry, and made once', async () => {
    const sale = await shop.sold();
    await shop.faults({ error_rate: 1 });
    const { id } = await sale.refunds({ amount: 1000 });
    await began(sale, 'owedSince', 16 * MINUTE);
    await sale.retries();
    await shows(sale, 'refund_delayed');
    await shop.noFaults();
    expect((await sale.retries()).status).toBe(200);
    await sale.refundBecomes(id, 'succeeded');
    expect([await sale.attention(), await sale.paidBack()]).toMatchObject([[], [{ amount: 1000 }]]);
  });
});

describe('what only a person can settle', () => {
  it('an application that nobody decides for a day is overdue, until somebody does', async () => {
    const sale = await shop.sold();
    const refund = await sale.applies({ amount: 1000 });
    await began(sale, 'createdAt', 25 * 60 * MINUTE);
    await sale.retries();
    await shows(sale, 'refund_overdue');
    expect(await sale.happened('refund.overdue')).toBe(1);
    await sale.decides(refund, 'reject');
    await sale.becomes(isCalm);
  });

  it('an item that could not be delivered: retry does not settle it, delivering it again does', async () => {
    const sale = await shop.sold();
    const [item] = sale.created.items;
    await sale.call('POST', `/items/${item.id}/delivery`, { status: 'failed' });
    await shows(sale, 'delivery_failed');
    expect(await orders(`retry ${sale.created.number}`)).toContain(`! delivery_failed: `);
    expect((await sale.call('POST', `/items/${item.id}/redeliver`)).status).toBe(200);
    await sale.becomes(isCalm);
  });

  it('goods that arrived after their money had gone back, until somebody has seen it', async () => {
    const sale = await shop.sold(HUNDRED);
    const [, pot] = sale.created.items;
    const { id } = await sale.refunds({ items: [{ item_id: pot.id, quantity: 1 }] });
    await sale.refundBecomes(id, 'succeeded');
    await sale.call('POST', `/items/${pot.id}/delivery`, { status: 'delivered' });
    await shows(sale, 'delivered_after_refund');
    await orders(`retry ${sale.id}`);
    await sale.becomes(isCalm);
    expect((await sale.read()).items[1].delivery.status).toBe('refunded');
  });

  it('money of a wrong amount, until it is resolved', async () => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    await sale.buyer(payment, 'pay', { amount: 2999 });
    await shows(sale, 'payment_disputed');
    await sale.retries();
    expect(await sale.attention()).toEqual(['payment_disputed']);
    await sale.resolves(payment, 'return');
    await sale.becomes(isCalm);
    await sale.becomes(({ refunds }) => refunds[0]?.status === 'succeeded');
  });
});
