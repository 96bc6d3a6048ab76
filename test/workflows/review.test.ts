import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../activities/index.ts';
import { relayActivities } from '../../activities/relay.ts';
import { findOrder, type StoredOrder } from '../../db/orders.ts';
import { saveOrder } from '../../db/save.ts';
import { decide } from '../../domain/decide.ts';
import type { Decision } from '../../domain/decision.ts';
import { evolve } from '../../domain/evolve.ts';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import type { Payment } from '../../domain/order.ts';
import { view } from '../../domain/view.ts';
import { deliveryReport, orderQuery, orderWorkflowId, refundDecision } from '../../workflows/messages.ts';
import { replay } from '../support/histories.ts';
import {
  control,
  create,
  createUnstarted,
  faults,
  isClosed,
  MERCHANT,
  noFaults,
  noticeOf,
  open,
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
afterEach(() => noFaults(system));

const ask = { reason: 'broken', origin: 'merchant', applicant: 'key:x', by: MERCHANT } as const;
const apply = (id: OrderId, refund: string, amount: number) =>
  system.gateway.ask(id, { type: 'apply_refund', refund: refund as RefundId, ask: { type: 'amount', amount }, ...ask });
const approve = (id: OrderId, refund: string) =>
  system.gateway.ask(id, {
    type: 'review_refund',
    refund: refund as RefundId,
    decision: 'approve',
    reviewer: OPERATOR,
    note: null,
    by: MERCHANT,
  });
const cancel = (id: OrderId) =>
  system.gateway.ask(id, { type: 'cancel', because: 'merchant', applicant: 'key:x', reason: null, by: MERCHANT });
const handleOf = (id: OrderId) => system.client.workflow.getHandle(orderWorkflowId(id));
const taskTimeoutOf = async (client: Client, id: OrderId) => {
  const { events } = await client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  return Number(events?.[0]?.workflowExecutionStartedEventAttributes?.workflowTaskTimeout?.seconds);
};

describe('a killed worker costs five seconds, whatever began the run', () => {
  it('start', async () => {
    const id = await create(system);
    expect(await taskTimeoutOf(system.client, id)).toBe(5);
  });
  it('a signal', async () => {
    const { order } = await createUnstarted(system);
    await system.gateway.tellNotice(order.id, 'ntc_none');
    expect(await taskTimeoutOf(system.client, order.id)).toBe(5);
  });
  it('an update', async () => {
    const { order } = await createUnstarted(system);
    await open(system, order.id);
    expect(await taskTimeoutOf(system.client, order.id)).toBe(5);
  });
});

describe('what a person sends by hand from the Temporal UI', () => {
  const NUL = 'a\u0000b';
  const LONE = 'a\ud83d';
  it.each([NUL, LONE])('a reviewer %j that no database can look for does not stop the order', async (reviewer) => {
    const { id } = await paid(system);
    await apply(id, `ref_${reviewer.length}${reviewer.charCodeAt(1)}`, 100);
    const [refund] = (await stored(system, id)).refunds;
    await handleOf(id).signal(refundDecision, { refundId: refund!.id, decision: 'approve', reviewer });
    await approve(id, refund!.id);
  });
  it.each([NUL, LONE])('a report with %j in it does not stop the order', async (text) => {
    const { id } = await paid(system);
    const [first, second] = (await stored(system, id)).items;
    const tracking = { carrier: text, number: '1' };
    await handleOf(id).signal(deliveryReport, { itemId: first!.id, status: 'delivering', detail: text, tracking });
    const by = { type: text, name: text } as never;
    await handleOf(id).signal(deliveryReport, { itemId: second!.id, status: 'delivering', by });
    await until(
      () => stored(system, id),
      ({ items }) => items.every(({ status }) => status === 'delivering'),
    );
  });
  it.each([NUL, LONE])('a notice %j that can not be does not stop the order', async (notice) => {
    const { id } = await paid(system);
    await system.gateway.tellNotice(id, notice);
    await apply(id, 'ref_n', 100);
  });
});

describe('a retry', () => {
  it('begins a refund anew that waits for its next try, and pays back once', async () => {
    const { id, payment } = await paid(system);
    await apply(id, 'ref_a', 1000);
    await faults(system, { error_rate: 1 });
    await approve(id, 'ref_a');
    // After some tries the pause is longer than this test waits.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await noFaults(system);
    await system.gateway.ask(id, { type: 'retry', by: MERCHANT });
    await until(
      () => providersBooks(system, payment),
      (books) => books.some(({ type }) => type === 'refund'),
      3_000,
    );
    expect((await refundSucceeds(system, id, 'ref_a')).refunds).toHaveLength(1);
    expect((await providersBooks(system, payment)).filter(({ type }) => type === 'refund')).toHaveLength(1);
  });
});

describe('a refund whose first try may have come through', () => {
  it('is asked about first when it is begun anew', async () => {
    const { id, payment } = await paid(system);
    await apply(id, 'ref_t', 1000);
    await faults(system, { timeout_rate: 1 });
    await approve(id, 'ref_t');
    await until(
      () => providersBooks(system, payment),
      (books) => books.some(({ type }) => type === 'refund'),
      5_000,
    );
    await noFaults(system);
    await system.gateway.ask(id, { type: 'retry', by: MERCHANT });
    await until(
      () => stored(system, id),
      ({ refunds }) => refunds[0]!.status === 'succeeded',
      40_000,
    );
    const { events } = await handleOf(id).fetchHistory();
    const calls = events!.flatMap(({ activityTaskScheduledEventAttributes: call }) =>
      call?.activityType?.name === 'makeRefund' ? [String(call.input?.payloads?.[0]?.data)] : [],
    );
    expect(calls.map((call) => (JSON.parse(call) as { mayBeMade: boolean }).mayBeMade)).toEqual([false, true]);
    expect((await providersBooks(system, payment)).filter(({ type }) => type === 'refund')).toHaveLength(1);
  });
});

describe('opening an attempt', () => {
  it('that timed out, but was made, is the same attempt when asked again', async () => {
    const id = await create(system);
    await faults(system, { timeout_rate: 1 });
    await expect(open(system, id)).rejects.toMatchObject({ code: 'provider_unavailable' });
    await noFaults(system);
    const payment = await open(system, id);
    expect(payment.action).not.toBeNull();
    expect((await stored(system, id)).payments).toHaveLength(1);
    expect((await control(system, payment.outTradeNo, { action: 'pay' })).status).toBe(200);
  });
  it('gives way to a cancellation, and both are answered', async () => {
    const id = await create(system);
    await faults(system, { latency_ms: 2_500 });
    const opening = open(system, id).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const cancelling = cancel(id);
    expect(await opening).toMatchObject({ refusal: { code: 'invalid_state' } });
    await noFaults(system);
    await cancelling;
    const order = await until(
      () => stored(system, id),
      ({ status }) => status === 'cancelled',
      30_000,
    );
    expect(order.payments[0]).toMatchObject({ status: 'closed' });
    await until(
      () => isClosed(system, id),
      (is) => is,
    );
  });
});

describe('an attempt that was saved in a task which was lost, its wish with it', () => {
  /** The row is there, with what the buyer is shown; its workflow has never heard of it. */
  async function lostAttempt() {
    const { order } = await createUnstarted(system);
    const run = await system.gateway.start((await findOrder(system.db, order.id, null))!);
    const action = { type: 'qr', content: 'weixin://x' } as const;
    const by = { type: 'provider', name: 'wechatpay' } as const;
    const wish = { type: 'open_payment', method: 'wechatpay.native', by: MERCHANT } as const;
    const started = eventsOf(decide(order, wish, Date.now()));
    const lost = started.reduce(evolve, order);
    const payment = lost.payments[0]!;
    const opened = eventsOf(decide(lost, { type: 'payment_opened', payment: payment.id, action, by }, Date.now()));
    await saveOrder(system.db, {
      run,
      task: 3,
      before: order,
      events: [...started, ...opened],
      notices: [],
      wishes: ['lost'],
    });
    return { id: order.id, payment };
  }
  const isPaidByIt = async (id: OrderId, payment: Payment) => {
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
    const after = await until(
      () => stored(system, id),
      ({ status }) => status !== 'pending_payment',
    );
    expect(after).toMatchObject({ status: 'paid', paidBy: payment.id });
  };
  it('pays the order', async () => {
    const { id, payment } = await lostAttempt();
    await isPaidByIt(id, payment);
  });
  it('does so also where the order has saved something else meanwhile', async () => {
    const { id, payment } = await lostAttempt();
    const wish = { type: 'open_payment', method: 'wechatpay.jsapi', by: MERCHANT } as const;
    const granted = await system.gateway.ask(id, wish).catch((error: unknown) => error);
    const { payments } = await until(
      () => stored(system, id),
      (order) => order.payments[1]?.status === 'failed' && order.payments[0]!.status === 'closed',
    );
    expect(payments[0]).toMatchObject({ id: payment.id, method: 'wechatpay.native' });
    expect(payments[1]).toMatchObject({ method: 'wechatpay.jsapi' });
    expect(granted).toMatchObject({ code: 'provider_error' }); // It needs a payer_id.
    await isPaidByIt(id, payment);
    await replay(system, id, 'lost-attempt');
  });
  it('is closed before the order is cancelled', async () => {
    const { id, payment } = await lostAttempt();
    await cancel(id);
    expect(await stored(system, id)).toMatchObject({
      status: 'cancelled',
      payments: [{ id: payment.id, status: 'closed' }],
    });
  });
});
const eventsOf = (decision: Decision) => ('events' in decision ? decision.events : []);

it('a wish that has not the form of one is refused, and stops no order that is being loaded', async () => {
  const { order } = await createUnstarted(system);
  const wish = system.gateway.ask(order.id, { type: 'confirm', by: MERCHANT }, 'k1');
  const bad = system.client.workflow.executeUpdateWithStart('openPayment', {
    args: ['now'],
    startWorkflowOperation: new WithStartWorkflowOperation('order', {
      workflowId: orderWorkflowId(order.id),
      taskQueue: system.taskQueue,
      args: [{ id: order.id, opened: null }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  });
  await expect(bad).rejects.toThrow();
  await expect(wish).rejects.toMatchObject({ refusal: { code: 'invalid_state' } });
  await open(system, order.id);
});

it('the relay goes on past an order and a notice that it can not tell', async () => {
  const { order: bad } = await createUnstarted(system);
  const { order: good } = await createUnstarted(system);
  const payment = (await stored(system, await create(system)))!;
  const notice = { outTradeNo: `x${payment.id}`, amount: 1 } as Payment;
  await noticeOf(system, bad.id, notice);
  await noticeOf(system, good.id, notice);
  const told: string[] = [];
  const tell = async (id: OrderId) => {
    if (id === bad.id) throw new Error('never');
    told.push(id);
    return 'run';
  };
  const gateway = { start: ({ order }: StoredOrder) => tell(order.id), tellNotice: tell } as never;
  const later = () => Date.now() + 6_000;
  const log = pino({ level: 'silent' });
  const relay = relayActivities({ db: system.db, gateway, now: later, log } as unknown as Deps);
  await expect(relay.relayNotices()).rejects.toThrow('never');
  await expect(relay.startLeftOrders()).rejects.toThrow('never');
  expect(told.filter((id) => id === good.id)).toHaveLength(2);
});

it('a database that holds still for longer than a task may last costs time, and nothing else', async () => {
  const { id } = await paid(system);
  const [first, second] = (await stored(system, id)).items;
  const holding = system.db.transaction().execute(async (transaction) => {
    await transaction.selectFrom('orders').select('id').where('id', '=', id).forUpdate().execute();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
  });
  await system.gateway.tellDelivery(id, { itemId: first!.id, status: 'delivering', by: MERCHANT });
  const wish = apply(id, 'ref_slow', 100);
  await system.gateway.tellDelivery(id, { itemId: second!.id, status: 'delivering', by: MERCHANT });
  await Promise.all([holding, wish]);
  const order = await until(
    () => stored(system, id),
    ({ items }) => items.every(({ status }) => status === 'delivering'),
  );
  expect(order.refunds).toHaveLength(1);
  expect(await handleOf(id).query(orderQuery)).toEqual(view(order));
  const events = await system.db.selectFrom('order_events').select('seq').where('order_id', '=', id).execute();
  expect(events).toHaveLength(order.seq);
});

it('every wish is answered that meets the closing of an order', async () => {
  const { id } = await paid(system, { fulfilment: 'digital' });
  const review = () => system.gateway.ask(id, { type: 'review', rating: 5, comment: null, by: MERCHANT });
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)).then(review);
  await Promise.all(Array.from({ length: 60 }, (_, index) => later(index * 37)));
});
