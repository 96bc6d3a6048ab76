import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import { orderWorkflowId, refundDecision } from '../../workflows/messages.ts';
import { addKey, OPERATOR_KEY, type Answer } from '../api/support.ts';
import { HUNDRED, Shop, type Sale } from './shop.ts';

/** Scenarios 25 to 29 and 34: who may have how much back, and who decides. */

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open();
});
afterAll(() => shop?.close());

const statuses = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe.concurrent('refunds never exceed what was paid (25)', () => {
  it('60 and 60 out of 100 at once: one is accepted', async () => {
    const sale = await shop.sold(HUNDRED);
    const ask = () => sale.call('POST', '/refunds', { reason: 'x', amount: 6000 });
    const answers = await Promise.all([ask(), ask()]);
    expect(statuses(answers)).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)!.body).toMatchObject({ code: 'refund_exceeds_paid' });
  });

  it('fifty parts at once: no more than was paid is accepted, nor goes back at the provider', async () => {
    const sale = await shop.sold(HUNDRED);
    const parts = Array.from({ length: 50 }, (_, index) => 1 + ((index * 7919) % 600));
    const answers = await Promise.all(parts.map((amount) => sale.call('POST', '/refunds', { reason: 'x', amount })));
    expect(new Set(statuses(answers))).toEqual(new Set([202, 409]));
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => body);
    await Promise.all(accepted.map((refund) => sale.decides(refund, 'approve')));
    const { amounts, refunds } = await sale.becomes(
      (order) => order.refunds.every(({ status }: { status: string }) => status === 'succeeded'),
      50_000,
    );
    const back = await sale.paidBack();
    expect([back.length, refunds.length]).toEqual([accepted.length, accepted.length]);
    expect(back.reduce((sum, { amount }) => sum + amount, 0)).toBe(amounts.refunded);
    expect(amounts.refunded).toBeLessThanOrEqual(10_000);
    expect(10_000 - amounts.refunded).toBeLessThan(Math.max(...parts));
  });
});

describe.concurrent('an application', () => {
  it.each([
    [{ amount: 0 }, 400],
    [{ amount: -1 }, 400],
    [{ amount: 3001 }, 409],
    [{ items: [{ item_id: 'itm_none', quantity: 1 }] }, 400],
  ])('for %j is refused, and the provider hears nothing of it (26)', async (ask, status) => {
    const sale = await shop.sold();
    expect((await sale.call('POST', '/refunds', { reason: 'x', ...ask })).status).toBe(status);
    expect([(await sale.read()).refunds, await sale.paidBack()]).toEqual([[], []]);
  });
  it('of an unpaid order is refused (26)', async () => {
    const sale = await shop.sells();
    const answer = await sale.call('POST', '/refunds', { reason: 'x' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
  });
  it('repeated with its key is the same refund, and one at the provider, however often it is decided (27, 28)', async () => {
    const sale = await shop.sold();
    const apply = () => sale.call('POST', '/refunds', { reason: 'x', amount: 500 }, { idempotencyKey: 'again' });
    const applied = await Promise.all([apply(), apply(), apply()]);
    expect(new Set(applied.map(({ body }) => body.id)).size).toBe(1);
    const approve = () => sale.decides(applied[0]!.body, 'approve');
    expect(statuses(await Promise.all([approve(), approve(), approve()]))).toEqual([200, 200, 200]);
    await sale.refundBecomes(applied[0]!.body.id, 'succeeded');
    expect(await sale.paidBack()).toMatchObject([{ amount: 500 }]);
    expect((await approve()).status).toBe(200);
    expect([await sale.happened('refund.requested'), await sale.happened('refund.reviewed')]).toEqual([1, 1]);
  });
});

describe.concurrent('a decision', () => {
  it('is one: approved and rejected at once, one wins, the other is told so (28)', async () => {
    const sale = await shop.sold();
    const refund = await sale.applies();
    const answers = await Promise.all([sale.decides(refund, 'approve'), sale.decides(refund, 'reject')]);
    expect(statuses(answers)).toEqual([200, 409]);
    expect(await sale.happened('refund.reviewed')).toBe(1);
  });

  it('needs its scope and somebody else than who applied; it says who, when and why (29)', async () => {
    const sale = await shop.sold();
    const refund = await sale.applies({ amount: 1 });
    const key = await addKey(shop.api.system, 'sk_test_no_review', ['orders:read', 'refunds:write']);
    const unable = await sale.decides(refund, 'approve', { key });
    expect(unable).toMatchObject({ status: 403, body: { code: 'forbidden', scope: 'refunds:review' } });
    const applicant = await sale.decides(refund, 'approve', { key: 'sk_test_demo' });
    expect(applicant).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    await sale.call('POST', `/refunds/${refund.id}/reject`, { note: 'it was fine' }, { key: OPERATOR_KEY });
    const decided = await sale.refund(refund.id);
    expect(decided).toMatchObject({ status: 'rejected', reviewer: 'Demo Operator', note: 'it was fine' });
    expect((await sale.events()).at(-1)).toMatchObject({
      type: 'refund.reviewed',
      at: decided.reviewed_at,
      actor: { type: 'operator', name: 'Demo Operator' },
      data: { decision: 'reject', note: 'it was fine', reviewer: 'Demo Operator' },
    });
  });

  it('by a signal from the Temporal UI is the same as by the API (34)', async () => {
    const [bySignal, byApi] = [await shop.sold(), await shop.sold()];
    const [one, other] = [await bySignal.applies({ amount: 700 }), await byApi.applies({ amount: 700 })];
    const handle = shop.api.system.client.workflow.getHandle(orderWorkflowId(bySignal.id as OrderId));
    const decision = { refundId: one.id, decision: 'approve', reviewer: 'Demo Operator', note: 'seen' } as const;
    await handle.signal(refundDecision, decision);
    await byApi.decides(other, 'approve');
    await Promise.all([bySignal.refundBecomes(one.id, 'succeeded'), byApi.refundBecomes(other.id, 'succeeded')]);
    const outcome = async (sale: Sale, { id }: { id: string }) => {
      const { reviewer, note, status, amount } = await sale.refund(id);
      const events = (await sale.events()).map(({ type, actor, data }) => ({ type, actor, decision: data.decision }));
      return { reviewer, note, status, amount, events, net: await sale.net() };
    };
    expect(await outcome(bySignal, one)).toEqual(await outcome(byApi, other));
  });
});
