import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderGateway } from '../../client/gateway.ts';
import { doubt } from '../../db/doubts.ts';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import { openedWith } from '../../domain/new-order.ts';
import { deliveryReport, orderWorkflowId, WISHES } from '../../workflows/messages.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { SEARCH_ATTRIBUTES } from '../../start/search-attributes.ts';
import { createUnstarted, faults, MERCHANT, noFaults, OPERATOR, stored } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';
import { runWorkerAt } from '../support/worker-elsewhere.ts';
import { timeSkippingEnvironment } from '../support/test-server.ts';

/** Weeks in seconds: the same workflow and activities on a server whose clock is moved on. */

const KEYWORD = 2;
const TASK_QUEUE = 'orders-in-skipped-time';
let system: System;
let env: TestWorkflowEnvironment;
let worker: RunningWorker;

beforeAll(async () => {
  system = await startSystem();
  env = await timeSkippingEnvironment();
  const searchAttributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD]));
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
  worker = await runWorkerAt(env.nativeConnection, system, TASK_QUEUE);
});
afterAll(async () => {
  await worker?.stop();
  await env?.teardown();
  await system?.stop();
});

async function begin(wanted: Parameters<typeof createUnstarted>[1]): Promise<OrderId> {
  const { order, row } = await createUnstarted(system, wanted);
  await env.client.workflow.start('order', {
    workflowId: orderWorkflowId(order.id),
    taskQueue: TASK_QUEUE,
    args: [{ id: order.id, opened: openedWith(order, row.details.confirm) }],
  });
  return order.id;
}
const types = async (id: OrderId) =>
  (await system.db.selectFrom('order_events').select('type').where('order_id', '=', id).orderBy('seq').execute()).map(
    ({ type }) => type,
  );

describe('by time alone', () => {
  it('an order of thirty days expires', async () => {
    const id = await begin({ expiresInMs: 30 * 86_400_000 });
    expect(await env.client.workflow.getHandle(orderWorkflowId(id)).result()).toBe('cancelled');
    expect(await types(id)).toEqual(['order.created', 'order.expired']);
  });

  it('what was delivered is received after two weeks', async () => {
    const id = await begin({ amounts: [0] });
    const handle = env.client.workflow.getHandle(orderWorkflowId(id));
    await handle.signal(deliveryReport, {
      itemId: (await stored(system, id)).items[0]!.id,
      status: 'delivered',
      by: MERCHANT,
    });
    expect(await handle.result()).toBe('completed');
    const order = await stored(system, id);
    expect(order.receivedAt! - order.items[0]!.updatedAt!).toBeGreaterThanOrEqual(1_209_600_000);
    expect(order.receivedAt! - order.items[0]!.updatedAt!).toBeLessThan(1_209_600_000 + 3_600_000);
  });

  it('an undecided refund application is overdue after a day, once', async () => {
    const id = await begin({ amounts: [0] });
    const handle = env.client.workflow.getHandle(orderWorkflowId(id));
    const refund = 'ref_late' as RefundId;
    const ask = { type: 'items', items: [{ item: (await stored(system, id)).items[0]!.id, quantity: 1 }] } as const;
    await handle.executeUpdate(WISHES.apply_refund, {
      args: [
        {
          type: 'apply_refund',
          refund,
          ask,
          reason: 'x',
          origin: 'merchant',
          applicant: 'key:x',
          by: MERCHANT,
        },
      ],
    });
    await env.sleep('25 hours');
    expect((await types(id)).filter((type) => type === 'refund.overdue')).toHaveLength(1);
    const row = await system.db.selectFrom('orders').select('attention').where('id', '=', id).executeTakeFirstOrThrow();
    expect(row.attention).toBe(true);
    await handle.executeUpdate(WISHES.review_refund, {
      args: [{ type: 'review_refund', refund, decision: 'approve', reviewer: OPERATOR, note: null, by: MERCHANT }],
    });
    expect((await types(id)).filter((type) => type === 'refund.succeeded')).toHaveLength(1);
  });

  it('a provider that is away delays the end of an order, which is shown after a while, and never falsifies it', async () => {
    const moved = (await env.currentTimeMs()) - Date.now();
    const id = await begin({ expiresInMs: moved + 60 * 60_000 });
    const handle = env.client.workflow.getHandle(orderWorkflowId(id));
    const wish = { type: 'open_payment', method: 'wechatpay.native', by: MERCHANT } as const;
    await handle.executeUpdate(WISHES.open_payment, { args: [wish] });
    await faults(system, { error_rate: 1 });
    const attention = async () =>
      (await system.db.selectFrom('orders').select('attention').where('id', '=', id).executeTakeFirstOrThrow())
        .attention;
    await env.sleep('70 minutes');
    expect([(await stored(system, id)).status, await attention()]).toEqual(['pending_payment', false]);
    await env.sleep('10 minutes');
    expect([(await stored(system, id)).status, await attention()]).toEqual(['pending_payment', true]);
    await noFaults(system);
    expect(await handle.result()).toBe('cancelled');
    expect(await attention()).toBe(false);
  });
});

it('an order in doubt that can not be told keeps none asleep that the server holds back', async () => {
  const { order: doubted } = await createUnstarted(system);
  await doubt(system.db, doubted.id);
  const woken: string[] = [];
  const gateway: Partial<OrderGateway> = {
    start: async () => 'run',
    lookAgain: () => Promise.reject(new Error('never')),
    asleep: async () => ['ord_asleep' as OrderId],
    wake: async (id) => void woken.push(id),
  };
  const taskQueue = 'a-relay';
  const relaying = await runWorkerAt(env.nativeConnection, system, taskQueue, { gateway: gateway as OrderGateway });
  const relay = env.client.workflow.execute('relay', { workflowId: taskQueue, taskQueue });
  await expect(relay.finally(() => relaying.stop())).rejects.toMatchObject({ cause: { cause: { message: 'never' } } });
  expect(woken).toEqual(['ord_asleep']);
});
