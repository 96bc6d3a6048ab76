import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../api/support.ts';
import { faults, noFaults } from '../support/orders.ts';
import { storyOf } from './support.ts';

/** Scenarios 11, 15, 16, 19 to 23 and 50, with the provider's faults. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterEach(() => noFaults(api.system));
afterAll(() => api?.stop());
const { create, open, buyer, seen, read, events, booksAgree } = storyOf(() => api);
const isPaid = ({ paid_at }: any) => paid_at !== null;

describe('a payment', () => {
  it('is found by asking when every notice is lost (16)', async () => {
    const { id } = await create();
    const { body } = await open(id);
    await faults(api.system, { drop_notices: true });
    await buyer(body.out_trade_no, { action: 'pay' });
    await seen(id, isPaid, 60_000);
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 0 });
  }, 90_000);

  it('is told a hundred times and paid once (11)', async () => {
    const { id } = await create();
    const { body } = await open(id);
    await faults(api.system, { duplicate_notices: 99 });
    await buyer(body.out_trade_no, { action: 'pay' });
    await seen(id, isPaid);
    expect((await events(id)).filter((type) => type === 'order.paid')).toHaveLength(1);
  });

  it('succeeds after the buyer failed once (15)', async () => {
    const { id } = await create();
    const { body } = await open(id);
    for (const action of ['start', 'fail', 'pay']) await buyer(body.out_trade_no, { action });
    expect((await seen(id, isPaid)).payments).toMatchObject([{ status: 'succeeded' }]);
  });
});

describe('an order about to end', () => {
  it('is closed at its provider before it expires, and says so once (19, 23)', async () => {
    const { id } = await create({ expires_in: 3 });
    const { body } = await open(id);
    const ended = await seen(id, ({ status }) => status === 'cancelled');
    expect(ended).toMatchObject({ cancel_reason: 'expired', payments: [{ status: 'closed' }] });
    expect((await events(id)).filter((type) => type === 'order.expired')).toHaveLength(1);
    const paying = fetch(`${api.system.simulator.url}/_control/payments/${body.out_trade_no}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"action":"pay"}',
    });
    expect((await paying).status).toBe(409);
  });

  it('is paid if it was in time, whenever the notice comes (20)', async () => {
    const { id } = await create({ expires_in: 4 });
    const { body } = await open(id);
    await faults(api.system, { delay_notices_ms: 600_000 });
    await buyer(body.out_trade_no, { action: 'pay' });
    await seen(id, isPaid);
    await noFaults(api.system);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await read(id)).toMatchObject({ status: 'paid', cancel_reason: null });
    expect((await events(id)).filter((type) => type === 'order.paid')).toHaveLength(1);
  });

  it('is not called expired while its provider is away (22)', async () => {
    const { id } = await create({ expires_in: 3 });
    await open(id);
    await faults(api.system, { error_rate: 1 });
    await new Promise((resolve) => setTimeout(resolve, 4500));
    expect((await read(id)).status).toBe('pending_payment');
    await noFaults(api.system);
    await seen(id, ({ status }) => status === 'cancelled');
    expect(await events(id)).toContain('order.expired');
  });

  it('gives late money back in full, without a person (21)', async () => {
    const { id } = await create({ expires_in: 3 });
    const { body } = await open(id);
    await seen(id, ({ status }) => status === 'cancelled');
    await buyer(body.out_trade_no, { action: 'pay', force: true });
    const returned = await seen(id, ({ refunds }) => refunds[0]?.status === 'succeeded');
    expect(returned).toMatchObject({
      status: 'cancelled',
      amounts: { paid: 0 },
      refunds: [{ origin: 'late_payment' }],
    });
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 3000 });
  });
});
