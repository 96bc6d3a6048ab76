import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSettled } from '../../domain/duties.ts';
import type { OrderId } from '../../domain/ids.ts';
import { orderQuery, orderWorkflowId, WISHES } from '../../workflows/messages.ts';
import { replay } from '../support/histories.ts';
import { create, MERCHANT, noticeOf, open, paid, pay, stored, until } from '../support/orders.ts';
import { startSystem, type System } from '../support/system.ts';

/** Whatever somebody sends by hand, the order goes on. */

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.startWorker();
});
afterAll(() => system?.stop());

const handle = (id: OrderId) => system.client.workflow.getHandle(orderWorkflowId(id));
const ask = (id: OrderId, wish: unknown) =>
  system.gateway.ask(id, wish as never).then(
    () => 'granted',
    (error: unknown) => (error as { refusal?: { code: string } }).refusal?.code ?? String(error),
  );
async function completed(): Promise<OrderId> {
  const { id } = await paid(system, { amounts: [1000] });
  const [item] = (await stored(system, id)).items;
  await system.gateway.tellDelivery(id, { itemId: item!.id, status: 'delivered', by: MERCHANT });
  await until(
    () => stored(system, id),
    ({ items }) => items[0]!.status === 'delivered',
  );
  await system.gateway.ask(id, { type: 'confirm_receipt', by: MERCHANT });
  await until(
    () => stored(system, id),
    (order) => isSettled(order),
  );
  return id;
}

describe.concurrent('an update without the form of a wish', () => {
  const by = MERCHANT;
  const malformed: [string, object][] = [
    ['a refund of nothing named', { type: 'apply_refund', by }],
    ['a refund by nobody', { type: 'apply_refund', refund: 'ref_1', ask: { type: 'all' }, reason: 'x' }],
    [
      'a decision without its reviewer',
      { type: 'review_refund', refund: 'ref_1', decision: 'approve', note: null, by },
    ],
    [
      'a decision that is none',
      { type: 'resolve_dispute', payment: 'pay_1', decision: 'x', note: 'x', applicant: 'x', by },
    ],
    ['an unknown method', { type: 'open_payment', method: 'cash', by }],
    ['a retry by an unknown', { type: 'retry', by: { type: 'ghost', name: null } }],
    ['a text that no database takes', { type: 'review', rating: 5, comment: 'a\0b', by }],
  ];
  it.for(malformed)('%s is refused, also while the order is being loaded', async ([, wish]) => {
    const id = await completed();
    expect(await ask(id, wish)).toBe('invalid_request');
    expect(await ask(id, { type: 'review', rating: 5, comment: null, by })).toBe('granted');
    expect(await ask(id, wish)).toBe('invalid_request');
  });
  it('has its name', async () => {
    const id = await create(system);
    await open(system, id);
    await expect(handle(id).executeUpdate(WISHES.cancel, { args: [{ type: 'retry', by }] })).rejects.toThrow();
    await expect(handle(id).executeUpdate('cancel')).rejects.toThrow();
    expect(await handle(id).query(orderQuery)).toMatchObject({ status: 'pending_payment' });
  });
});

describe.concurrent('a signal without the form of one is left aside', () => {
  const anything = [undefined, null, 'text', 17, [], {}, { noticeId: {} }, { noticeId: 'a\0b' }, { itemId: 'x' }];
  it.for(['paymentNotification', 'refundDecision', 'deliveryReport', 'unheardOf'])('%s', async (name) => {
    const id = await create(system);
    const payment = await pay(system, id);
    for (const one of anything) await handle(id).signal(name, ...(one === undefined ? [] : [one]));
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
    await until(
      () => stored(system, id),
      ({ paidAt }) => paidAt !== null,
    );
  });
});

describe.concurrent('a signal that can not be read is left aside', () => {
  const payload = (encoding: string | null, data: string) => ({
    metadata: encoding === null ? {} : { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  });
  const unreadable: [string, ReturnType<typeof payload>][] = [
    ['broken JSON', payload('json/plain', '{"noticeId": ')],
    ['an unknown encoding', payload('yaml/plain', 'noticeId: x')],
    ['no encoding', payload(null, '{"noticeId": "x"}')],
    ['nothing', payload('json/plain', '')],
  ];
  it.for(unreadable)('%s', async ([, sent]) => {
    const id = await create(system);
    const payment = await pay(system, id);
    for (const signalName of ['paymentNotification', 'refundDecision', 'deliveryReport', 'unheardOf'])
      await system.client.workflowService.signalWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: orderWorkflowId(id) },
        signalName,
        input: { payloads: [sent] },
      });
    await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
    await until(
      () => stored(system, id),
      ({ paidAt }) => paidAt !== null,
    );
    expect(await handle(id).query(orderQuery)).toMatchObject({ status: 'paid' });
    if (sent === unreadable[0]![1]) await replay(system, id, 'unreadable-signals');
  });
});

it('a notice that was ours when it came counts, though its account was removed meanwhile', async () => {
  const other = await startSystem();
  try {
    await other.startWorker();
    const id = await create(other, { amounts: [1000] });
    const payment = await open(other, id);
    await other.db.deleteFrom('provider_accounts').execute();
    const notice = await noticeOf(other, id, payment);
    await until(
      () => other.findProvider('demo', 'wechatpay'),
      (account) => account === null,
    );
    await other.gateway.tellNotice(id, notice);
    const order = await until(
      () => stored(other, id),
      ({ paidAt }) => paidAt !== null,
    );
    expect(order).toMatchObject({ status: 'paid', paidBy: payment.id });
    expect((await other.gateway.live(id))!.attention).toEqual([]);
  } finally {
    await other.stop();
  }
});
