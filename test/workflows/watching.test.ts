import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import type { PaymentMethod } from '../../domain/method.ts';
import { openedWith } from '../../domain/new-order.ts';
import type { PaymentProvider, PaymentReport } from '../../providers/provider.ts';
import { SEARCH_ATTRIBUTES } from '../../start/search-attributes.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { orderWorkflowId, WISHES } from '../../workflows/messages.ts';
import { replay } from '../support/histories.ts';
import { createUnstarted, MERCHANT, stored } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';
import { runWorkerAt } from '../support/worker-elsewhere.ts';
import { timeSkippingEnvironment } from '../support/test-server.ts';

/** Orders whose provider has no close, or whose money has to be taken; its answers and the clock are in our hand. */

const TASK_QUEUE = 'orders-that-watch';
const DAY = 86_400_000;
let system: System;
let env: TestWorkflowEnvironment;
let worker: RunningWorker;

let answer: PaymentReport;
let isOver: boolean;
let asked: string[];
beforeEach(() => {
  [answer, isOver, asked] = [{ state: 'pending' }, false, []];
});
const provider: Partial<PaymentProvider> = {
  async open() {
    return { action: { type: 'qr', content: 'https://qr.95516.com/1' }, reference: 'R-1' };
  },
  async query({ reference }) {
    asked.push(`query ${reference}`);
    return answer;
  },
  async capture({ reference }) {
    asked.push(`capture ${reference}`);
    answer = PAID;
    return PAID;
  },
  async refund({ reference, askedAt }) {
    asked.push(`refund ${reference} ${askedAt > 0}`);
    return { state: 'succeeded', settledAt: 1 };
  },
};
const PAID = { state: 'paid', tradeNo: 'T', money: { amount: 3000, currency: 'CNY' }, paidAt: 1 } as const;

beforeAll(async () => {
  system = await startSystem();
  env = await timeSkippingEnvironment();
  const searchAttributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, 2]));
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
  worker = await runWorkerAt(env.nativeConnection, system, TASK_QUEUE, {
    now: () => Date.now() + (isOver ? 365 * DAY : 0),
    provider: async () => provider as PaymentProvider,
  });
});
afterAll(async () => {
  await worker?.stop();
  await env?.teardown();
  await system?.stop();
});

async function open(method: PaymentMethod) {
  const moved = (await env.currentTimeMs()) - Date.now();
  const { order, row } = await createUnstarted(system, { expiresInMs: moved + 600_000, amounts: [3000] });
  const handle = await env.client.workflow.start('order', {
    workflowId: orderWorkflowId(order.id),
    taskQueue: TASK_QUEUE,
    args: [{ id: order.id, opened: openedWith(order, row.details.confirm) }],
  });
  await handle.executeUpdate(WISHES.open_payment, { args: [{ type: 'open_payment', method, by: MERCHANT }] });
  return { id: order.id, handle };
}
const statusOf = async (id: OrderId) => (await stored(system, id)).status;
const count = (word: string) => asked.filter((one) => one.startsWith(word)).length;

const replays = (id: OrderId, name: string) => replay({ client: env.client, bundle: system.bundle }, id, name);

it('an attempt without a close: asked before the end, once more after its own expiry, and then no more', async () => {
  const { id, handle } = await open('unionpay.qr');
  await env.sleep('11 minutes');
  expect(await statusOf(id)).toBe('cancelled');
  const before = count('query R-1');
  expect(before).toBeGreaterThan(0);
  isOver = true;
  expect(await handle.result()).toBe('cancelled');
  expect(count('query')).toBe(before + 1);
  const [payment] = (await stored(system, id)).payments;
  expect(payment).toMatchObject({ status: 'closed', watched: null, reference: 'R-1' });
  await replays(id, 'watched');
});

it('money that came too late there is found without a notice, and goes back', async () => {
  const { id, handle } = await open('unionpay.qr');
  await env.sleep('11 minutes');
  answer = PAID;
  expect(await handle.result()).toBe('cancelled');
  expect(await stored(system, id)).toMatchObject({
    cancelReason: 'expired',
    refunds: [{ origin: 'late_payment', amount: 3000, status: 'succeeded' }],
  });
  expect(asked.at(-1)).toBe('refund R-1 true');
  await replays(id, 'watched-and-paid-late');
});

it('approved money is taken, once', async () => {
  const { id } = await open('paypal.checkout');
  answer = { state: 'approved' };
  await env.sleep('2 minutes');
  expect(await statusOf(id)).toBe('paid');
  expect(count('capture R-1')).toBe(1);
  await replays(id, 'approved-and-captured');
});

it('approved money is not taken for an order that ends', async () => {
  const { id, handle } = await open('paypal.checkout');
  answer = { state: 'approved' };
  await handle.executeUpdate(WISHES.cancel, {
    args: [{ type: 'cancel', because: 'merchant', applicant: 'key:x', reason: null, by: MERCHANT }],
  });
  await env.sleep('11 minutes');
  expect(count('capture')).toBe(0);
  expect(await statusOf(id)).toBe('cancelled');
  await replays(id, 'approved-and-cancelled');
});
