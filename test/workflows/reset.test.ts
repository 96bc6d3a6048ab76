import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { view } from '../../domain/view.ts';
import { orderQuery, orderWorkflowId } from '../../workflows/messages.ts';
import { MERCHANT, paid, stored, until } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
afterAll(() => system?.stop());

const FIRST_TASK_COMPLETED = 4;

it("an operator's reset takes nothing back that was saved: the order goes on from what is stored", async () => {
  const { id } = await paid(system);
  const [first, second] = (await stored(system, id)).items;
  await system.gateway.tellDelivery(id, { itemId: first!.id, status: 'delivered', by: MERCHANT });
  await until(
    () => stored(system, id),
    ({ items }) => items[0]!.status === 'delivered',
  );
  const before = await stored(system, id);

  await system.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: orderWorkflowId(id) },
    workflowTaskFinishEventId: FIRST_TASK_COMPLETED as never,
    requestId: randomUUID(),
    reason: 'test',
  });
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
