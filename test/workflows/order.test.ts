import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderId, RefundId } from '../../domain/ids.ts';
import type { Fulfilment } from '../../domain/order.ts';
import { orderQuery, orderWorkflowId, refundDecision, timelineQuery } from '../../workflows/messages.ts';
import { replay } from '../support/histories.ts';
import {
  control,
  create,
  createUnstarted,
  faults,
  historyOf,
  isClosed,
  MERCHANT,
  noFaults,
  noticeOf,
  open,
  OPERATOR,
  paid,
  pay,
  providersBooks,
  stored,
  until,
} from '../support/orders.ts';
import { REMEMBERS_ORDERS, startSystem, type System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
afterAll(() => system?.stop());

const closed = (id: OrderId) =>
  until(
    () => isClosed(system, id),
    (is) => is,
  );
const deliver = async (id: OrderId, itemIndex: number, status: 'delivered' | 'failed' | 'delivering' = 'delivered') => {
  const item = (await stored(system, id)).items[itemIndex]!;
  await system.gateway.tellDelivery(id, { itemId: item.id, status, by: MERCHANT });
  await until(
    () => stored(system, id),
    ({ items }) => items[itemIndex]!.status === status,
  );
};
const timeline = async (id: OrderId) =>
  (await system.db.selectFrom('order_events').select('type').where('order_id', '=', id).orderBy('seq').execute()).map(
    ({ type }) => type,
  );
const apply = (id: OrderId, refund: string, ask: { type: 'all' } | { type: 'amount'; amount: number }) =>
  system.gateway.ask(id, {
    type: 'apply_refund',
    refund: refund as RefundId,
    ask,
    reason: 'broken',
    origin: 'customer',
    applicant: 'customer',
    by: { type: 'customer', name: null },
  });

/** At most so much where workers remember orders; `beside` the events of tasks, remembered or not. */
function costs(history: readonly string[], most: { events: number; tasks: number; beside: number }): void {
  const begunTwice = ['workflowTaskFailed', 'workflowTaskTimedOut'];
  const isTask = (kind: string) => kind.startsWith('workflowTask');
  expect(history.filter((kind) => !isTask(kind)).length, history.join(' ')).toBeLessThanOrEqual(most.beside);
  expect(history.at(-1)).toBe('workflowExecutionCompleted');
  if (!REMEMBERS_ORDERS) return;
  expect(history.filter((kind) => begunTwice.includes(kind))).toEqual([]);
  expect(history.length, history.join(' ')).toBeLessThanOrEqual(most.events);
  expect(history.filter((kind) => kind === 'workflowTaskCompleted').length).toBeLessThanOrEqual(most.tasks);
}

describe.concurrent('an order that nobody pays', () => {
  // On a busy machine its one task may be prolonged.
  it('expires at its time, at the cost of one task', { retry: 2 }, async () => {
    const id = await create(system, { expiresInMs: 1200 });
    const order = await until(
      () => stored(system, id),
      ({ status }) => status === 'cancelled',
    );
    expect(order.cancelReason).toBe('expired');
    await closed(id);
    const history = await historyOf(system, id);
    costs(history, { events: 8, tasks: 1, beside: 5 });
    expect(await timeline(id)).toEqual(['order.created', 'order.expired']);
    await replay(system, id, 'expired-unopened');
  });
  it('closes its attempt at the provider before it expires', async () => {
    const id = await create(system, { expiresInMs: 6000 });
    const payment = await open(system, id);
    await until(
      () => stored(system, id),
      ({ status }) => status === 'cancelled',
    );
    expect((await control(system, payment.outTradeNo, { action: 'pay' })).status).toBe(409);
    expect(await timeline(id)).toEqual(['order.created', 'payment.opened', 'payment.closed', 'order.expired']);
    await closed(id);
    await replay(system, id, 'expired-opened');
  });
  it('is paid after all if the provider says so when it is about to expire', async () => {
    const id = await create(system, { expiresInMs: 6000 });
    await pay(system, id);
    const order = await until(
      () => stored(system, id),
      ({ paidAt }) => paidAt !== null,
    );
    expect(order).toMatchObject({ status: 'paid', ending: null });
    expect(await timeline(id)).not.toContain('order.expired');
    await replay(system, id, 'paid-at-expiry');
  });
  it('gives money back that comes after its end, in a run of its own', async () => {
    const id = await create(system, { expiresInMs: 6000 });
    const payment = await open(system, id);
    await closed(id);
    await control(system, payment.outTradeNo, { action: 'pay', force: true });
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
    const order = await until(
      () => stored(system, id),
      ({ refunds }) => refunds[0]?.status === 'succeeded',
      40_000,
    );
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'expired' });
    expect(order.refunds[0]).toMatchObject({ origin: 'late_payment', amount: 3000 });
    expect((await providersBooks(system, payment)).map(({ type, amount }) => [type, amount])).toEqual([
      ['capture', 3000],
      ['refund', 3000],
    ]);
    await closed(id);
    await replay(system, id, 'late-money');
  });
});

describe.concurrent('a refund', () => {
  it('waits for a person, goes back through the provider, and is settled', async () => {
    const { id, payment } = await paid(system);
    await apply(id, 'ref_a', { type: 'amount', amount: 1000 });
    await system.gateway.ask(id, {
      type: 'review_refund',
      refund: 'ref_a' as RefundId,
      decision: 'approve',
      reviewer: OPERATOR,
      note: 'ok',
      by: { type: 'operator', name: 'Demo Operator' },
    });
    const order = await until(
      () => stored(system, id),
      ({ refunds }) => refunds[0]!.status === 'succeeded',
      40_000,
    );
    expect(order.refunds[0]).toMatchObject({ reviewer: 'Demo Operator', note: 'ok', amount: 1000 });
    expect((await providersBooks(system, payment)).at(-1)).toMatchObject({ type: 'refund', amount: 1000 });
    await replay(system, id, 'refunded-in-part');
  });
  it('is decided by a signal from the Temporal UI just as well; only by who may', async () => {
    const { id } = await paid(system);
    await apply(id, 'ref_b', { type: 'all' });
    const handle = system.client.workflow.getHandle(orderWorkflowId(id));
    await handle.signal(refundDecision, {
      refundId: 'ref_b',
      decision: 'approve',
      reviewer: 'Somebody',
      note: 'me too',
    });
    await until(
      () => timeline(id),
      (types) => types.includes('refund.reviewed'),
    );
    expect((await stored(system, id)).refunds[0]!.status).toBe('requested');
    await handle.signal(refundDecision, {
      refundId: 'ref_b',
      decision: 'approve',
      reviewer: 'Demo Operator',
      note: 'fine',
    });
    const order = await until(
      () => stored(system, id),
      ({ status }) => status === 'cancelled',
      40_000,
    );
    expect(order).toMatchObject({ cancelReason: 'refunded' });
    await closed(id);
    await replay(system, id, 'decided-by-signal');
  });
  it('is refused to whoever applied, and decided once', async () => {
    const { id } = await paid(system);
    await system.gateway.ask(id, {
      type: 'apply_refund',
      refund: 'ref_c' as RefundId,
      ask: { type: 'all' },
      reason: 'x',
      origin: 'merchant',
      applicant: OPERATOR.key,
      by: MERCHANT,
    });
    const decide = (decision: 'approve' | 'reject', reviewer: { key: string; name: string }) =>
      system.gateway.ask(id, {
        type: 'review_refund',
        refund: 'ref_c' as RefundId,
        decision,
        reviewer,
        note: 'n',
        by: MERCHANT,
      });
    await expect(decide('approve', OPERATOR)).rejects.toMatchObject({ refusal: { code: 'forbidden' } });
    const other = { key: 'key:other', name: 'Other' };
    const both = await Promise.allSettled([decide('reject', other), decide('approve', other)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
  it('opens a completed order again', async () => {
    const { id } = await paid(system, { fulfilment: 'digital' });
    await closed(id);
    await apply(id, 'ref_d', { type: 'all' });
    expect((await stored(system, id)).refunds[0]!.status).toBe('requested');
    await system.gateway.ask(id, {
      type: 'review_refund',
      refund: 'ref_d' as RefundId,
      decision: 'reject',
      reviewer: OPERATOR,
      note: 'used',
      by: MERCHANT,
    });
    await closed(id);
    expect(await stored(system, id)).toMatchObject({ status: 'completed' });
    await replay(system, id, 'opened-again');
  });
});

describe('a paid order', () => {
  it('is delivered, received and completed, at the published cost', async () => {
    const { id, payment } = await paid(system);
    await deliver(id, 0);
    await deliver(id, 1);
    await system.gateway.ask(id, { type: 'confirm_receipt', by: MERCHANT });
    expect((await stored(system, id)).status).toBe('completed');
    await closed(id);
    const history = await historyOf(system, id);
    costs(history, { events: 36, tasks: 6, beside: 21 });
    expect(await timeline(id)).toEqual([
      'order.created',
      'payment.opened',
      'order.paid',
      'item.delivery_updated',
      'order.processing',
      'item.delivery_updated',
      'order.received',
      'order.completed',
    ]);
    expect(await providersBooks(system, payment)).toHaveLength(1);
    await replay(system, id, 'completed');
  });
  it('takes a notice once, however often it is told', async () => {
    const id = await create(system);
    const payment = await pay(system, id);
    const notices = await Promise.all(Array.from({ length: 20 }, () => noticeOf(system, id, payment)));
    await Promise.all([...notices, ...notices].map((notice) => system.gateway.tellNotice(id, notice)));
    await until(
      () =>
        system.db
          .selectFrom('notices')
          .select('id')
          .where('order_id', '=', id)
          .where('processed_at', 'is', null)
          .execute(),
      (left) => left.length === 0,
    );
    expect((await timeline(id)).filter((type) => type === 'order.paid')).toHaveLength(1);
    await replay(system, id, 'told-often');
  });
  it('believes no signal that names no verified notice', async () => {
    const id = await create(system);
    await open(system, id);
    await system.gateway.tellNotice(id, 'ntc_made_up');
    await system.client.workflow.getHandle(orderWorkflowId(id)).signal('paymentNotification', { amount: 3000 });
    await until(
      () => historyOf(system, id),
      (kinds) => kinds.filter((kind) => kind === 'workflowTaskCompleted').length >= 2,
    );
    expect((await stored(system, id)).paidAt).toBeNull();
  });
  it('is not paid by a wrong amount, nor by a notice for another merchant', async () => {
    const id = await create(system);
    const payment = await open(system, id);
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment, { mchid: '1' }));
    const flagged = await until(
      () => stored(system, id),
      ({ payments }) => payments[0]!.foreignNoticeAt !== null,
    );
    expect(flagged.payments[0]!.status).toBe('pending');
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment, { amount: 1, tradeNo: 't-1' }));
    const disputed = await until(
      () => stored(system, id),
      ({ payments }) => payments[0]!.status === 'disputed',
    );
    expect(disputed.paidAt).toBeNull();
    await replay(system, id, 'disputed');
  });
});

describe('a cancellation', () => {
  it('closes the attempt and ends an unpaid order', async () => {
    const id = await create(system);
    const payment = await open(system, id);
    await system.gateway.ask(id, {
      type: 'cancel',
      because: 'customer',
      applicant: 'customer',
      reason: 'no more',
      by: { type: 'customer', name: null },
    });
    expect(await stored(system, id)).toMatchObject({ status: 'cancelled', cancelReason: 'customer' });
    expect((await control(system, payment.outTradeNo, { action: 'pay' })).status).toBe(409);
    await closed(id);
    await replay(system, id, 'cancelled');
  });
  it('that finds the order paid applies for a refund, and holds what would be granted', async () => {
    const id = await create(system, { fulfilment: 'digital' });
    await pay(system, id);
    await system.gateway.ask(id, {
      type: 'cancel',
      because: 'merchant',
      applicant: 'key:x',
      reason: null,
      by: MERCHANT,
    });
    const order = await stored(system, id);
    expect(order).toMatchObject({
      status: 'paid',
      refunds: [{ origin: 'cancellation', status: 'requested', amount: 3000 }],
    });
    expect(order.items.every(({ status }) => status === 'waiting')).toBe(true);
    await system.gateway.ask(id, {
      type: 'review_refund',
      refund: order.refunds[0]!.id,
      decision: 'reject',
      reviewer: OPERATOR,
      note: 'no',
      by: MERCHANT,
    });
    expect(await stored(system, id)).toMatchObject({ status: 'completed' });
    await replay(system, id, 'cancelled-too-late');
  });
  it('while the provider takes its time to open stops that, and closes what it may have opened', async () => {
    const id = await create(system);
    await faults(system, { latency_ms: 3_000 });
    const opening = open(system, id).catch((error: unknown) => error);
    await until(
      () => historyOf(system, id),
      (events) => events.includes('activityTaskScheduled'),
    );
    const cancelling = system.gateway.ask(id, {
      type: 'cancel',
      because: 'merchant',
      applicant: 'key:x',
      reason: null,
      by: MERCHANT,
    });
    await until(
      () => stored(system, id),
      ({ payments }) => typeof payments[0]?.closingSince === 'number',
    );
    await noFaults(system);
    await cancelling;
    expect(await opening).toMatchObject({ refusal: { code: 'invalid_state' } });
    expect(await stored(system, id)).toMatchObject({ status: 'cancelled' });
    await closed(id);
    await replay(system, id, 'cancelled-while-opening');
  });
  it("by the Temporal UI's Cancel button is one more wish", async () => {
    const id = await create(system);
    await open(system, id);
    await system.client.workflow.getHandle(orderWorkflowId(id)).cancel();
    await until(
      () => stored(system, id),
      ({ status }) => status === 'cancelled',
    );
    await closed(id);
    await replay(system, id, 'cancelled-in-ui');
  });
});

describe('what operators see', () => {
  it('answers queries without personal data, as the database has it', async () => {
    const { id } = await paid(system);
    const handle = system.client.workflow.getHandle(orderWorkflowId(id));
    expect(await handle.query(orderQuery)).toMatchObject({
      id,
      status: 'paid',
      version: (await stored(system, id)).version,
    });
    expect((await handle.query(timelineQuery)).map(({ type }) => type)).toEqual(await timeline(id));
  });
  it.each([
    ['paid', 'shipment' as const],
    ['processing', ['digital', 'shipment'] satisfies Fulfilment[]],
  ])('finds orders that are %s by search attributes', async (status, fulfilment) => {
    const { id } = await paid(system, { fulfilment });
    await until(
      async () => (await system.client.workflow.getHandle(orderWorkflowId(id)).describe()).searchAttributes,
      (attributes) => String(attributes['OrderStatus']) === status,
      20_000,
    );
  });
});

it('starts an order that a crash left unstarted, by the relay', async () => {
  const { order } = await createUnstarted(system, { expiresInMs: 7000 });
  await until(
    () => stored(system, order.id),
    ({ status }) => status === 'cancelled',
    40_000,
  );
});
