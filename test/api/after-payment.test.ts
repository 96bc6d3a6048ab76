import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createParser } from 'eventsource-parser';
import { checkoutToken } from '../../api/checkout-token.ts';
import type { OrderGateway } from '../../client/gateway.ts';
import { putKey } from '../../db/merchants.ts';
import { orderWorkflowId, refundDecision } from '../../workflows/messages.ts';
import { until } from '../support/orders.ts';
import {
  anotherApi,
  MERCHANT_KEY,
  OPERATOR_KEY,
  OTHER_KEY,
  startApi,
  tea,
  type Answer,
  type TestApi,
} from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const reads = (id: string) => async () => (await api.call(`GET /v1/orders/${id}`)).body;
const buyer = (outTradeNo: string) =>
  fetch(`${api.system.simulator.url}/_control/payments/${outTradeNo}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"action":"pay"}',
  });
/** Two lines: 2 × 15.00 and 1 × 70.00; 100.00 in all. */
const lines = [
  { name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' },
  { name: 'Pot', quantity: 1, unit_amount: 7000, fulfilment: 'shipment' },
];
async function paid(more: Record<string, unknown> = {}) {
  const { id } = (await api.call('POST /v1/orders', tea({ items: lines, ...more }))).body;
  const payment = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
  await buyer(payment.body.out_trade_no);
  return until(reads(id), ({ paid_at }) => paid_at !== null);
}
const statuses = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe('a refund', () => {
  it('is applied for, approved by another person, and given back', async () => {
    const { id } = await paid();
    const applied = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'broken', amount: 4000 });
    expect(applied).toMatchObject({
      status: 202,
      body: { order_id: id, amount: 4000, items: null, origin: 'merchant', status: 'requested', reason: 'broken' },
    });
    const refund = applied.body.id;
    const queue = await api.call('GET /v1/refunds?status=requested', undefined, { key: OPERATOR_KEY });
    expect(queue.body.data[0]).toEqual(applied.body);
    const own = await api.call(`POST /v1/orders/${id}/refunds/${refund}/approve`, {});
    expect(own).toMatchObject({ status: 403, body: { code: 'forbidden' } });

    const approve = () =>
      api.call(`POST /v1/orders/${id}/refunds/${refund}/approve`, { note: 'ok' }, { key: OPERATOR_KEY });
    expect(await approve()).toMatchObject({ status: 200, body: { reviewer: 'Demo Operator', note: 'ok' } });
    expect((await approve()).status).toBe(200);
    const reject = await api.call(
      `POST /v1/orders/${id}/refunds/${refund}/reject`,
      { note: 'no' },
      { key: OPERATOR_KEY },
    );
    expect(reject).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    await until(reads(id), ({ refunds }) => refunds[0].status === 'succeeded');
    const read = await api.call(`GET /v1/orders/${id}/refunds/${refund}`);
    expect(read.body).toMatchObject({ order_id: id, status: 'succeeded' });
    expect(await reads(id)()).toMatchObject({ refund_status: 'partial', amounts: { refunded: 4000 } });
  });

  it('needs two people, whichever of their keys they take, by API and by signal', async () => {
    const scopes = ['orders:read', 'refunds:write', 'refunds:review'] as const;
    const keys = ['op_test_wang_1', 'op_test_wang_2', 'op_test_li'];
    for (const key of keys) {
      const name = key.includes('wang') ? 'Wang Wei' : 'Li Na';
      await putKey(api.system.db, {
        id: `key_${key}`,
        merchant: 'demo',
        key,
        kind: 'operator',
        name,
        scopes: [...scopes],
      });
    }
    const [desk, phone, other] = keys as [string, string, string];
    const { id } = await paid();
    const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x', amount: 1 }, { key: desk });
    const approve = (key: string) =>
      api.call(`POST /v1/orders/${id}/refunds/${body.id}/approve`, { note: 'n' }, { key });
    expect(await approve(phone)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const handle = api.system.client.workflow.getHandle(orderWorkflowId(id));
    await handle.signal(refundDecision, { refundId: body.id, decision: 'approve', reviewer: 'Wang Wei', note: null });
    const told = await until(
      async () => (await api.call(`GET /v1/orders/${id}/events`)).body.data.at(-1),
      ({ type }) => type === 'refund.reviewed',
    );
    expect(told.data).toMatchObject({ reviewer: 'Wang Wei' });
    expect((await reads(id)()).refunds[0]).toMatchObject({ status: 'requested', reviewer: null });
    expect(await approve(other)).toMatchObject({ status: 200, body: { reviewer: 'Li Na' } });
  });

  it('outside the window that its order was given is refused', async () => {
    const { id } = await paid({ refund_window: 0 });
    const applied = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x', amount: 1 });
    expect(applied).toMatchObject({ status: 409, body: { code: 'refund_window_closed' } });
  });

  it('of 60 and 60 out of 100 at once: one is accepted (scenario 25)', async () => {
    const { id } = await paid();
    const apply = () => api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x', amount: 6000 });
    const answers = await Promise.all([apply(), apply()]);
    expect(statuses(answers)).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'refund_exceeds_paid',
      errors: [{ path: 'amount' }],
    });
  });

  it('repeated with its key is the same refund (scenario 27)', async () => {
    const { id } = await paid();
    const apply = () =>
      api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x', amount: 100 }, { idempotencyKey: 'r' });
    const answers = await Promise.all([apply(), apply(), apply()]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await reads(id)()).refunds).toHaveLength(1);
  });

  it('is approved or rejected, whoever comes first (scenario 28)', async () => {
    const { id } = await paid();
    const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x' });
    const decide = (what: string) =>
      api.call(`POST /v1/orders/${id}/refunds/${body.id}/${what}`, { note: 'n' }, { key: OPERATOR_KEY });
    expect(statuses(await Promise.all([decide('approve'), decide('reject')]))).toEqual([200, 409]);
  });

  it('by item is worth what the item was', async () => {
    const { id, items } = await paid({ discount: 1000 });
    const { body, status } = await api.call(`POST /v1/orders/${id}/refunds`, {
      reason: 'x',
      items: [{ item_id: items[1].id, quantity: 1 }],
    });
    expect([status, body.amount, body.items]).toEqual([
      202,
      6300,
      [{ item_id: items[1].id, quantity: 1, amount: 6300 }],
    ]);
    const over = await api.call(`POST /v1/orders/${id}/refunds`, {
      reason: 'x',
      items: [{ item_id: items[1].id, quantity: 1 }],
    });
    expect(over).toMatchObject({ status: 409, body: { code: 'refund_exceeds_paid' } });
  });

  it.each([
    ['nothing', {}, ['reason']],
    ['0', { reason: 'x', amount: 0 }, ['amount']],
    ['less than nothing', { reason: 'x', amount: -5 }, ['amount']],
    ['a fraction', { reason: 'x', amount: 1.5 }, ['amount']],
    ['both', { reason: 'x', amount: 1, items: [{ item_id: 'itm_1', quantity: 1 }] }, ['amount']],
    ['no items', { reason: 'x', items: [] }, ['items']],
    ['an item of another order', { reason: 'x', items: [{ item_id: 'itm_1', quantity: 1 }] }, ['items.0.item_id']],
    [
      'an item twice',
      {
        reason: 'x',
        items: [
          { item_id: 'a', quantity: 1 },
          { item_id: 'a', quantity: 1 },
        ],
      },
      ['items.1.item_id'],
    ],
    ['too long a reason', { reason: 'x'.repeat(501) }, ['reason']],
  ])('of %s is refused (scenario 26)', async (_, body, paths) => {
    const { id } = await paid();
    const answer = await api.call(`POST /v1/orders/${id}/refunds`, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  it('of an unpaid order is refused; one that is not there is not found', async () => {
    const { id } = (await api.call('POST /v1/orders', tea())).body;
    const answer = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect((await api.call(`GET /v1/orders/${id}/refunds/ref_1`)).status).toBe(404);
    const approve = await api.call(`POST /v1/orders/${id}/refunds/ref_1/approve`, {}, { key: OPERATOR_KEY });
    expect(approve.status).toBe(404);
  });

  it('can be applied for by the customer; of others’ nothing is seen', async () => {
    const { id } = await paid();
    const key = checkoutToken(api.sealer, id);
    const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x' }, { key });
    expect(body.origin).toBe('customer');
    expect((await api.call(`GET /v1/orders/${id}/refunds/${body.id}`, undefined, { key })).status).toBe(200);
    const approved = await api.call(`POST /v1/orders/${id}/refunds/${body.id}/approve`, {}, { key: MERCHANT_KEY });
    expect(approved).toMatchObject({ status: 200, body: { reviewer: 'Demo Shop' } });
    expect((await api.call('GET /v1/refunds', undefined, { key: OTHER_KEY })).body.data).toEqual([]);
  });

  it('is listed newest first, page by page', async () => {
    const { id } = await paid();
    const made: string[] = [];
    for (let i = 0; i < 3; i++)
      made.unshift((await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'x', amount: 1 })).body.id);
    const first = await api.call('GET /v1/refunds?limit=2');
    const second = await api.call(`GET /v1/refunds?limit=1&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...second.body.data].map((one: { id: string }) => one.id)).toEqual(made);
    const wrong = await api.call(`GET /v1/orders?cursor=${first.body.next_cursor}`);
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
  });
});

describe('a delivery', () => {
  it('is reported until all has arrived, received and reviewed', async () => {
    const { id, items } = await paid();
    const report = (item: string, body: unknown, idempotencyKey?: string) =>
      api.call(`POST /v1/orders/${id}/items/${item}/delivery`, body, idempotencyKey ? { idempotencyKey } : {});
    const tracking = { carrier: 'SF', number: 'SF1' };
    const sent = await report(items[0].id, { status: 'delivering', tracking });
    expect(sent).toMatchObject({ status: 200, body: { status: 'processing' } });
    expect(sent.body.items[0].delivery).toMatchObject({ status: 'delivering', tracking });
    const again = await report(items[0].id, { status: 'delivering' });
    expect(again.body.version).toBe(sent.body.version);
    expect((await api.call(`POST /v1/orders/${id}/receipt`)).body.code).toBe('invalid_state');

    const half = await report(items[0].id, { status: 'delivered', quantity: 1 });
    expect(half.body.items[0].delivery).toMatchObject({ status: 'delivering', quantity_delivered: 1 });
    expect(await report(items[0].id, { status: 'delivered', quantity: 3 })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'quantity' }] },
    });
    expect((await report(items[0].id, { status: 'lost' })).body.errors).toMatchObject([{ path: 'status' }]);
    expect((await report('itm_1', { status: 'delivered' })).status).toBe(404);
    await Promise.all([
      report(items[0].id, { status: 'delivered' }, 'd'),
      report(items[1].id, { status: 'delivered' }),
    ]);
    const back = await report(items[0].id, { status: 'delivering' });
    expect(back.body.items[0].delivery.status).toBe('delivered');

    const received = await api.call(`POST /v1/orders/${id}/receipt`);
    expect(received).toMatchObject({ status: 200, body: { status: 'completed' } });
    expect((await api.call(`POST /v1/orders/${id}/receipt`)).body).toEqual(received.body);
    expect((await api.call(`POST /v1/orders/${id}/review`, { rating: 6 })).status).toBe(400);
    const reviewed = await api.call(`POST /v1/orders/${id}/review`, { rating: 5, comment: '好' });
    expect(reviewed).toMatchObject({ status: 200, body: { review: { rating: 5, comment: '好' } } });
    expect((await api.call(`POST /v1/orders/${id}/review`, { rating: 1 })).body.code).toBe('invalid_state');
  });

  it('is taken as received after the time that its order was given', async () => {
    const { id, items } = await paid({ auto_receipt_after: 1 });
    for (const item of items)
      await api.call(`POST /v1/orders/${id}/items/${item.id}/delivery`, { status: 'delivered' });
    const done = await until(reads(id), ({ status }) => status === 'completed');
    const last = Date.parse(done.items[1].delivery.updated_at);
    expect(Date.parse(done.received_at)).toBeGreaterThanOrEqual(last + 1000);
  });

  it('of some items, the rest given back: reports of either change nothing any more (scenario 35)', async () => {
    const { id, items } = await paid();
    const report = async (item: { id: string }, status: string) =>
      (await api.call(`POST /v1/orders/${id}/items/${item.id}/delivery`, { status })).body;
    await report(items[0], 'delivered');
    const rest = { reason: 'no pot', items: [{ item_id: items[1].id, quantity: 1 }] };
    const refund = (await api.call(`POST /v1/orders/${id}/refunds`, rest)).body;
    await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/approve`, {}, { key: OPERATOR_KEY });
    const given = await until(reads(id), ({ refund_status }) => refund_status === 'partial');
    const stands = {
      amounts: { refunded: 7000 },
      items: [{ delivery: { status: 'delivered' } }, { delivery: { status: 'refunded' } }],
    };
    expect(given).toMatchObject(stands);
    expect((await report(items[0], 'failed')).version).toBe(given.version);
    expect(await report(items[1], 'delivered')).toMatchObject({
      ...stands,
      attention: [{ code: 'delivered_after_refund' }],
    });
  });

  it('whose report meets an order that is held back wakes it', async () => {
    const { id, items } = await paid();
    const { gateway } = api.deps;
    const held: Parameters<OrderGateway['tellDelivery']>[] = [];
    const heldBack: OrderGateway = {
      ...gateway,
      tellDelivery: async (...report) => void held.push(report),
      wake: async (woken) => {
        for (const report of held.splice(0)) if (report[0] === woken) await gateway.tellDelivery(...report);
      },
    };
    const call = anotherApi(api, { gateway: heldBack });
    const answer = await call(`POST /v1/orders/${id}/items/${items[0].id}/delivery`, { status: 'delivered' });
    expect(answer).toMatchObject({ status: 200, body: { items: [{ delivery: { status: 'delivered' } }, {}] } });
  });

  it('of an unpaid order is refused', async () => {
    const { id, items } = (await api.call('POST /v1/orders', tea())).body;
    const answer = await api.call(`POST /v1/orders/${id}/items/${items[0].id}/delivery`, { status: 'delivered' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
  });

  it('that failed is tried again', async () => {
    const { id, items } = await paid();
    const at = `POST /v1/orders/${id}/items/${items[0].id}`;
    expect((await api.call(`${at}/redeliver`)).body.code).toBe('invalid_state');
    await api.call(`${at}/delivery`, { status: 'failed', detail: 'nobody home' });
    const again = await api.call(`${at}/redeliver`);
    expect(again.body.items[0].delivery.status).toBe('delivering');
  });

  it('of many items at once loses none', async () => {
    const items = Array.from({ length: 30 }, (_, i) => ({ ...lines[0], name: `Tea ${i}` }));
    const order = await paid({ items });
    const answers = await Promise.all(
      order.items.map((item: { id: string }) =>
        api.call(`POST /v1/orders/${order.id}/items/${item.id}/delivery`, { status: 'delivered' }),
      ),
    );
    expect(new Set(answers.map(({ status }: Answer) => status))).toEqual(new Set([200]));
    const { body } = await api.call(`GET /v1/orders/${order.id}`);
    expect(body.items.map(({ delivery }: { delivery: { status: string } }) => delivery.status)).toEqual(
      items.map(() => 'delivered'),
    );
  });
});

it('what is stuck can be tried again', async () => {
  const { id } = await paid();
  expect(await api.call(`POST /v1/orders/${id}/retry`)).toMatchObject({ status: 200, body: { id } });
});

describe('the timeline', () => {
  it('is read oldest first, page by page', async () => {
    const { id } = await paid();
    const { body } = await api.call(`GET /v1/orders/${id}/events`);
    expect(body.data.map(({ type }: { type: string }) => type)).toEqual([
      'order.created',
      'payment.opened',
      'order.paid',
    ]);
    expect(body.data.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2, 3]);
    const first = await api.call(`GET /v1/orders/${id}/events?limit=2`);
    const rest = await api.call(`GET /v1/orders/${id}/events?cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...rest.body.data]).toEqual(body.data);
    expect(rest.body.next_cursor).toBeNull();
  });

  it('is streamed as it happens, and goes on where it was left', async () => {
    const { id, items } = (await api.call('POST /v1/orders', tea())).body;
    const all = await follow(id);
    await until(
      async () => all.seen.length,
      (count) => count === 1,
    );
    const { body } = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' });
    await buyer(body.out_trade_no);
    await until(
      async () => all.seen.at(-1)?.event,
      (type) => type === 'order.paid',
    );
    expect(all.seen.map(({ id: seq }) => seq)).toEqual(['1', '2', '3']);
    all.leave();
    const key = checkoutToken(api.sealer, id);
    const later = await follow(id, { 'last-event-id': '2', authorization: `Bearer ${key}` });
    await until(
      async () => later.seen.length,
      (count) => count === 1,
    );
    await api.call(`POST /v1/orders/${id}/items/${items[0].id}/delivery`, { status: 'delivered' });
    await until(
      async () => later.seen.at(-1)?.event,
      (type) => type === 'order.processing',
    );
    const { body: read } = await api.call(`GET /v1/orders/${id}/events`);
    expect([...all.seen.slice(0, 2), ...later.seen].map(({ data }) => JSON.parse(data))).toEqual(read.data);
    later.leave();
    const wrong = await fetch(`${api.url}/v1/orders/${id}/events`, {
      headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', 'last-event-id': 'x' },
    });
    expect(wrong.status).toBe(400);
  });

  type Seen = { id?: string | undefined; event?: string | undefined; data: string };
  async function follow(id: string, headers: Record<string, string> = {}): Promise<{ seen: Seen[]; leave(): void }> {
    const leaving = new AbortController();
    const response = await fetch(`${api.url}/v1/orders/${id}/events`, {
      headers: { authorization: `Bearer ${MERCHANT_KEY}`, accept: 'text/event-stream', ...headers },
      signal: leaving.signal,
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const seen: Seen[] = [];
    const parser = createParser({ onEvent: (event) => seen.push(event) });
    const decoder = new TextDecoder();
    void (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
        parser.feed(decoder.decode(chunk));
    })().catch(() => {});
    return { seen, leave: () => leaving.abort() };
  }
});

describe('personal data', () => {
  it('is erased at the end, wherever it stood', async () => {
    const secrets = { name: 'Secret-Name', phone: '13900001111', address: 'Secret-Road' };
    const wanted = tea({ delivery: secrets, customer: { id: 'Secret-Id', email: 'secret@example.com' } });
    const created = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'erase' });
    const { id } = created.body;
    const erase = () => api.call(`DELETE /v1/orders/${id}/personal-data`);
    expect(await erase()).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'Secret-Reason' });
    const before = await api.call(`GET /v1/orders/${id}`);
    expect(before.body.delivery).toEqual(secrets);

    expect(await erase()).toMatchObject({ status: 204, body: '' });
    expect((await erase()).status).toBe(204);
    const after = await api.call(`GET /v1/orders/${id}`, undefined, {
      headers: { 'if-none-match': before.headers.get('etag')! },
    });
    expect(after).toMatchObject({ status: 200, body: { delivery: null, customer: null } });
    const again = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'erase' });
    expect(again).toMatchObject({ status: 201, body: { id, delivery: null, customer: null } });
    const events = await api.call(`GET /v1/orders/${id}/events`);
    for (const { body } of [after, again, events]) expect(JSON.stringify(body)).not.toMatch(/secret|1390000/i);
    const { rows } = await tables(id);
    expect(rows).not.toMatch(/secret|1390000/i);
  });

  it('with what people wrote about it', async () => {
    const { id, items } = await paid();
    const { body } = await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'Secret-Reason', amount: 1 });
    await api.call(`POST /v1/orders/${id}/refunds/${body.id}/reject`, { note: 'Secret-Note' }, { key: OPERATOR_KEY });
    for (const item of items)
      await api.call(`POST /v1/orders/${id}/items/${item.id}/delivery`, {
        status: 'delivered',
        detail: 'Secret-Detail',
      });
    await api.call(`POST /v1/orders/${id}/receipt`);
    await api.call(`POST /v1/orders/${id}/review`, { rating: 5, comment: 'Secret-Comment' });
    expect((await tables(id)).rows).toMatch(/Secret-Reason.*Secret-Note/s);
    expect((await api.call(`DELETE /v1/orders/${id}/personal-data`)).status).toBe(204);
    expect((await tables(id)).rows).not.toMatch(/secret/i);
    const read = await reads(id)();
    expect(read).toMatchObject({
      review: { rating: 5, comment: null },
      refunds: [{ reason: null, note: null, amount: 1 }],
    });
    expect((await api.call(`GET /v1/orders/${id}?live=true`)).body).toEqual(read);
    // The order goes on from what is left.
    await api.call(`POST /v1/orders/${id}/refunds`, { reason: 'later', amount: 1 });
    expect((await tables(id)).rows).not.toMatch(/secret/i);
  });

  async function tables(id: string): Promise<{ rows: string }> {
    const { db } = api.system;
    const all = await Promise.all([
      db.selectFrom('orders').selectAll().where('id', '=', id).execute(),
      db.selectFrom('order_events').selectAll().where('order_id', '=', id).execute(),
      db.selectFrom('refunds').selectAll().where('order_id', '=', id).execute(),
      db.selectFrom('outbox').selectAll().where('order_id', '=', id).execute(),
      db.selectFrom('notices').selectAll().where('order_id', '=', id).execute(),
    ]);
    return { rows: JSON.stringify(all) };
  }
});
