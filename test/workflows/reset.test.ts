import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import { view } from '../../domain/view.ts';
import { orderQuery, orderWorkflowId } from '../../workflows/messages.ts';
import {
  faults,
  MERCHANT,
  noFaults,
  OPERATOR,
  paid,
  providersBooks,
  refundSucceeds,
  stored,
  until,
} from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
afterAll(() => system?.stop());

const FIRST_TASK_COMPLETED = 4;
const reset = (id: OrderId) =>
  system.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: orderWorkflowId(id) },
    workflowTaskFinishEventId: FIRST_TASK_COMPLETED as never,
    requestId: randomUUID(),
    reason: 'test',
  });
/** Whether each call for a refund, in this run's history, is to ask first. */
async function asksFirst(id: OrderId): Promise<boolean[]> {
  const { events } = await system.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  const calls = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: call }) =>
    call?.activityType?.name === 'makeRefund'
      ? [JSON.parse(Buffer.from(call.input!.payloads![0]!.data!).toString())]
      : [],
  );
  return calls.map(({ mayBeMade }: { mayBeMade: boolean }) => mayBeMade);
}

it("an operator's reset takes nothing back that was saved: the order goes on from what is stored", async () => {
  const { id } = await paid(system);
  const [first, second] = (await stored(system, id)).items;
  await system.gateway.tellDelivery(id, { itemId: first!.id, status: 'delivered', by: MERCHANT });
  await until(
    () => stored(system, id),
    ({ items }) => items[0]!.status === 'delivered',
  );
  const before = await stored(system, id);

  await reset(id);
  await system.gateway.tellDelivery(id, { itemId: second!.id, status: 'delivered', by: MERCHANT });
  const after = await until(
    () => stored(system, id),
    ({ items }) => items[1]!.status === 'delivered',
    30_000,
  );

  expect(after).toMatchObject({ status: 'processing', paidAt: before.paidAt, paidBy: before.paidBy });
  expect(after.items[0]).toEqual(before.items[0]);
  expect(await system.client.workflow.getHandle(orderWorkflowId(id)).query(orderQuery)).toEqual(view(after));
  const types = await system.db
    .selectFrom('order_events')
    .select('type')
    .where('order_id', '=', id)
    .orderBy('seq')
    .execute();
  expect(types.filter(({ type }) => type === 'order.paid')).toHaveLength(1);
  await system.gateway.ask(id, { type: 'confirm_receipt', by: MERCHANT });
  expect(await stored(system, id)).toMatchObject({ status: 'completed' });
});

it("an operator's reset makes no refund again without asking first", async () => {
  const { id, payment } = await paid(system);
  const refund = 'ref_reset' as RefundId;
  const wish = { type: 'apply_refund', refund, ask: { type: 'all' }, reason: 'broken', origin: 'merchant' } as const;
  await faults(system, { error_rate: 1 });
  await system.gateway.ask(id, { ...wish, applicant: 'key:x', by: MERCHANT });
  const decision = { type: 'review_refund', refund, decision: 'approve', reviewer: OPERATOR, note: null } as const;
  await system.gateway.ask(id, { ...decision, by: MERCHANT });
  expect(
    await until(
      () => asksFirst(id),
      (calls) => calls.length > 0,
    ),
  ).toEqual([false]);
  await reset(id);
  expect(
    (
      await until(
        () => asksFirst(id),
        (calls) => calls.length > 0,
        30_000,
      )
    ).at(-1),
  ).toBe(true);
  await noFaults(system);
  await refundSucceeds(system, id, refund);
  expect((await providersBooks(system, payment)).filter(({ type }) => type === 'refund')).toHaveLength(1);
});
