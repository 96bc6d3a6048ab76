import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import { view, type OrderView } from '../../domain/view.ts';
import { orderQuery, orderWorkflowId, timelineQuery } from '../../workflows/messages.ts';
import { startDoomed, type DoomedWorker } from '../support/doomed.ts';
import { create, MERCHANT, noticeOf, OPERATOR, pay, refundSucceeds, stored, until } from '../support/orders.ts';
import { replay } from '../support/histories.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  const endpoint = {
    id: 'whe_1',
    merchant_id: 'demo',
    url: 'http://127.0.0.1:9/',
    types: null,
    status: 'enabled' as const,
  };
  await system.db.insertInto('webhook_endpoints').values(endpoint).execute();
});
afterAll(() => system?.stop());

/** What the database has of an order in every table, and what the workflow knows, in the same words. */
async function compare(id: OrderId): Promise<void> {
  const { db } = system;
  const handle = system.client.workflow.getHandle(orderWorkflowId(id));
  const live: OrderView = await handle.query(orderQuery);
  const timeline = await handle.query(timelineQuery);
  const order = await stored(system, id);
  expect(view(order)).toEqual(live);
  const row = await db.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    version: live.version,
    status: live.status,
    refund_status: live.refund_status,
    paid: live.amounts.paid,
    refunded: live.amounts.refunded,
    held: live.refunds
      .filter(({ status }) => status !== 'rejected' && status !== 'failed')
      .reduce((sum, { amount }) => sum + amount, 0),
  });
  const events = await db.selectFrom('order_events').selectAll().where('order_id', '=', id).orderBy('seq').execute();
  expect(events.map(({ seq, type, at, data }) => ({ seq, type, at: at.toISOString(), data }))).toEqual(
    timeline.map(({ seq, type, at, data }) => ({ seq, type, at, data })),
  );
  const refunds = await db.selectFrom('refunds').selectAll().where('order_id', '=', id).execute();
  expect(new Set(refunds.map(({ body }) => JSON.stringify(sorted(body))))).toEqual(
    new Set(live.refunds.map((refund) => JSON.stringify(sorted(refund)))),
  );
  const payments = await db.selectFrom('payments').selectAll().where('order_id', '=', id).execute();
  expect(payments.map(({ id: payment, status }) => ({ id: payment, status }))).toEqual(
    live.payments.map(({ id: payment, status }) => ({ id: payment, status })),
  );
  const ledger = await db.selectFrom('ledger').selectAll().where('order_id', '=', id).execute();
  expect(ledger.filter(({ type }) => type === 'capture').map(({ reference }) => reference)).toEqual(
    live.payments.flatMap((p) => p.provider_trade_no ?? []),
  );
  expect(ledger.filter(({ type }) => type === 'refund')).toHaveLength(
    live.refunds.filter(({ status }) => status === 'succeeded').length,
  );
  const outbox = await db.selectFrom('outbox').selectAll().where('order_id', '=', id).orderBy('seq').execute();
  expect(outbox.map(({ seq, type }) => ({ seq, type }))).toEqual(timeline.map(({ seq, type }) => ({ seq, type })));
  const last = outbox.at(-1)!.body as { version: number };
  expect(last.version).toBeLessThanOrEqual(live.version);
}
const sorted = (value: object) => Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));

const apply = (id: OrderId, refund: string, amount: number) =>
  system.gateway.ask(id, {
    type: 'apply_refund',
    refund: refund as RefundId,
    ask: { type: 'amount', amount },
    reason: 'broken',
    origin: 'merchant',
    applicant: 'key:x',
    by: MERCHANT,
  });

const report = async (id: OrderId, index: number) =>
  system.gateway.tellDelivery(id, {
    itemId: (await stored(system, id)).items[index]!.id,
    status: 'delivering',
    tracking: { carrier: 'SF', number: String(index) },
    by: MERCHANT,
  });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function paidBy(worker: DoomedWorker): Promise<OrderId> {
  const id = await create(system, { amounts: [1000, 2000, 3000] });
  const payment = await pay(system, id);
  await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
  await until(
    () => stored(system, id),
    ({ status }) => status === 'paid',
  );
  // Its task ends a moment after its save.
  await pause(500);
  worker.kill();
  await worker.dead;
  return id;
}

describe('a worker that is killed between the commit and the end of its task', () => {
  it('leaves nothing that the repeated task, with other messages first, does not put right', async () => {
    const id = await paidBy(await startDoomed(system, 0));
    const doomed = await startDoomed(system, 1);
    const wish = apply(id, 'ref_first', 2500).catch((error: unknown) => error);
    await doomed.dead;
    // The commit is there, and the workflow does not know of it.
    expect((await stored(system, id)).refunds.map((refund) => refund.id)).toEqual(['ref_first']);
    const [one, two, three] = (await stored(system, id)).items;
    await system.gateway.tellDelivery(id, { itemId: one!.id, status: 'delivered', by: MERCHANT });
    await system.gateway.tellDelivery(id, { itemId: two!.id, status: 'failed', by: MERCHANT });
    await system.gateway.tellDelivery(id, {
      itemId: three!.id,
      status: 'delivering',
      tracking: { carrier: 'SF', number: '1' },
      by: MERCHANT,
    });
    const worker = await system.startWorker();
    await until(
      () => stored(system, id),
      ({ items }) => items[2]!.status === 'delivering',
      30_000,
    );
    await wish;
    await apply(id, 'ref_second', 500);
    await compare(id);
    await system.gateway.ask(id, {
      type: 'review_refund',
      refund: 'ref_second' as RefundId,
      decision: 'approve',
      reviewer: OPERATOR,
      note: null,
      by: MERCHANT,
    });
    await refundSucceeds(system, id, 'ref_second');
    await compare(id);
    await replay(system, id, 'killed-after-save');
    await worker.stop();
  });

  it('takes no attempt back that a buyer may have seen, though its provider makes none twice', async () => {
    const id = await create(system);
    const doomed = await startDoomed(system, 1);
    const asked = { type: 'open_payment', method: 'unionpay.qr', askedAt: Date.now(), by: MERCHANT } as const;
    const wish = system.gateway.ask(id, asked, 'the-wish').catch((error: unknown) => error);
    await doomed.dead;
    const [seen] = (await stored(system, id)).payments;
    expect(seen).toMatchObject({ status: 'pending', action: { type: 'qr' } });
    const worker = await system.startWorker();
    expect(await wish).toMatchObject({ payment: seen!.id });
    expect((await stored(system, id)).payments).toEqual([seen]);
    await compare(id);
    await replay(system, id, 'shown-and-lost');
    await worker.stop();
  });

  it('does so no less where a slow database had prolonged the task', async () => {
    const id = await paidBy(await startDoomed(system, 0));
    const doomed = await startDoomed(system, 2, 1500);
    // The first save begins before the task is prolonged and ends after that; the second one begins then.
    await system.gateway.tellNotice(id, 'ntc_none');
    await report(id, 0);
    await pause(2000);
    await report(id, 1);
    await doomed.dead;
    await report(id, 2);
    await system.startWorker();
    await until(
      () => stored(system, id),
      ({ items }) => items.every(({ status }) => status === 'delivering'),
      30_000,
    );
    await compare(id);
    await replay(system, id, 'killed-in-prolonged-task');
  });
});
