import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_KEY, startApi, type TestApi } from '../api/support.ts';
import type { OrderId } from '../../domain/ids.ts';
import { faults, noFaults, noticeOf } from '../support/orders.ts';
import { storyOf } from './support.ts';

/** Scenarios 21, 25 to 33 and 50, each with the provider's faults, and with workers that remember no order. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi(() => ({}), { cachedOrders: 0 });
});
afterEach(() => noFaults(api.system));
afterAll(() => api?.stop());
const { create, open, buyer, seen, events, booksAgree } = storyOf(() => api);

async function paid(): Promise<string> {
  const { id } = await create();
  await buyer((await open(id)).body.out_trade_no, { action: 'pay' });
  await seen(id, ({ paid_at }) => paid_at !== null);
  return id;
}
const apply = (id: string, amount?: number) =>
  api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken', ...(amount && { amount }) });
const approve = (id: string, refund: string) =>
  api.call(`POST /v1/orders/${id}/refunds/${refund}/approve`, {}, { key: OPERATOR_KEY });
async function approved(id: string, amount?: number): Promise<string> {
  const { body } = await apply(id, amount);
  expect((await approve(id, body.id)).status).toBe(200);
  return body.id;
}
const settled = (id: string, status: string) =>
  seen(id, ({ refunds }) => refunds.length > 0 && refunds.every((refund: any) => refund.status === status));
const codes = ({ attention }: any) => attention.map(({ code }: { code: string }) => code);

describe('a refund', () => {
  it('whose call times out but came through succeeds once, found by asking (30)', async () => {
    const id = await paid();
    await faults(api.system, { timeout_rate: 1, drop_notices: true });
    await approved(id, 1000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await noFaults(api.system);
    await settled(id, 'succeeded');
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 1000 });
  });

  it('whose notice comes five times is told of once (31)', async () => {
    const id = await paid();
    await faults(api.system, { duplicate_notices: 4 });
    await approved(id);
    await settled(id, 'succeeded');
    expect((await events(id)).filter((type) => type === 'refund.succeeded')).toHaveLength(1);
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 3000 });
  });

  it('that fails frees its amount, shows, and is replaced by a new one (32)', async () => {
    const id = await paid();
    await faults(api.system, { refund_fails: true });
    await approved(id);
    expect(codes(await settled(id, 'failed'))).toEqual(['refund_failed']);
    expect(await events(id)).toContain('refund.failed');
    await noFaults(api.system);
    await approved(id);
    const done = await seen(id, ({ refund_status }) => refund_status === 'full');
    expect(codes(done)).toEqual([]);
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 3000 });
  });

  it('that takes its time is processing until it settles (33)', async () => {
    const id = await paid();
    await faults(api.system, { refund_delay_ms: 600_000 });
    await approved(id);
    await settled(id, 'processing');
    await noFaults(api.system);
    await settled(id, 'succeeded');
  });

  it('in thirty parts at once never comes to more than was paid, at the provider too (25)', async () => {
    const id = await paid();
    const parts = Array.from({ length: 30 }, (_, n) => 100 + n * 10);
    const answers = await Promise.all(parts.map((part) => apply(id, part)));
    const accepted = answers.filter(({ status }) => status === 202);
    for (const { status, body } of answers) if (status !== 202) expect(body.code).toBe('refund_exceeds_paid');
    await Promise.all(accepted.map(({ body }) => approve(id, body.id)));
    await settled(id, 'succeeded');
    const { refunded } = await booksAgree(id);
    expect(refunded).toBe(accepted.reduce((sum, { body }) => sum + body.amount, 0));
    expect(refunded).toBeLessThanOrEqual(3000);
  });
});

describe('money that came after the end', () => {
  it('goes back by itself; where that fails it shows and is tried again; twice out is booked twice (21)', async () => {
    const { id } = await create();
    const { out_trade_no: outTradeNo, id: payment } = (await open(id)).body;
    await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'no' });
    await seen(id, ({ status }) => status === 'cancelled');
    await faults(api.system, { refund_fails: true });
    await buyer(outTradeNo, { action: 'pay', force: true });
    const failed = await settled(id, 'failed');
    expect([failed.status, codes(failed)]).toEqual(['cancelled', ['refund_failed']]);
    await noFaults(api.system);
    await api.call(`POST /v1/orders/${id}/retry`, {});
    const returned = await settled(id, 'succeeded');
    expect(codes(returned)).toEqual([]);
    expect(returned.refunds[0]).toMatchObject({ origin: 'late_payment', out_refund_no: expect.stringMatching(/t2$/) });
    expect(await booksAgree(id)).toEqual({ captured: 3000, refunded: 3000 });

    const first = returned.refunds[0].out_refund_no.slice(0, -2);
    await tellRefunded(id as OrderId, { id: payment, outTradeNo, amount: 3000 }, first);
    expect(codes(await seen(id, ({ attention }) => attention.length > 0))).toEqual(['refunded_twice']);
    const ledger = await api.system.db.selectFrom('ledger').select('reference').where('order_id', '=', id).execute();
    expect(ledger.map(({ reference }) => reference)).toEqual(expect.arrayContaining([first, `${first}t2`]));
    await api.call(`POST /v1/orders/${id}/retry`, {});
    expect(codes(await seen(id, ({ attention }) => attention.length === 0))).toEqual([]);
  });
});

/** A verified notice that a refund of this number went through, which the provider had called failed. */
async function tellRefunded(id: OrderId, payment: { id: string; outTradeNo: string; amount: number }, number: string) {
  const row = await noticeOf(api.system, id, payment as never);
  const account = { merchantNo: '1900000109', appId: 'wxd678efh567hg6787' };
  const refund = { state: 'succeeded', settledAt: Date.now() };
  const { outTradeNo } = payment;
  const body = { id: randomUUID(), account, outTradeNo, about: 'refund', outRefundNo: number, refund };
  await api.system.db
    .updateTable('notices')
    .set({ body: JSON.stringify(body) })
    .where('id', '=', row)
    .execute();
  await api.system.gateway.tellNotice(id, row);
}
