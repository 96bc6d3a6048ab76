import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutToken } from '../../api/checkout-token.ts';
import { hashesOf, newPickupCode, readPickupCode } from '../../api/pickup-code.ts';
import { createOrder, type OrderToCreate } from '../../db/orders.ts';
import { CodeTaken } from '../../db/pickup.ts';
import { createSealer } from '../../db/sealed.ts';
import { openOrder } from '../../domain/decide.ts';
import type { MerchantId, OrderId } from '../../domain/ids.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import { replay } from '../support/histories.ts';
import { until } from '../support/orders.ts';
import {
  addKey,
  anotherApi,
  OPERATOR_KEY,
  OTHER_KEY,
  paidOrder,
  startApi,
  tea,
  type Answer,
  type CallOptions,
  type TestApi,
} from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

let machines = 0;
/** A machine at which nobody has guessed. */
const freshMachine = () => `9000${process.pid}${machines++}`;
const lunch = (more: Record<string, unknown> = {}) => ({
  items: [
    { name: 'Soup', quantity: 2, unit_amount: 900, fulfilment: 'pickup' },
    { name: 'Bread', quantity: 1, unit_amount: 200, fulfilment: 'pickup' },
  ],
  ...more,
});
const redeem = (machineNo: string, code: string, options: CallOptions = {}, call = api.call) =>
  call(`POST /v1/machines/${machineNo}/pickup`, { code }, options);
const reads = (id: string) => async () => (await api.call(`GET /v1/orders/${id}`)).body;
const INVALID = { status: 404, body: { code: 'pickup_code_invalid' } };
const statuses = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const approve = (id: string, refund: string) =>
  api.call(`POST /v1/orders/${id}/refunds/${refund}/approve`, {}, { key: OPERATOR_KEY });
const reject = (id: string, refund: string) =>
  api.call(`POST /v1/orders/${id}/refunds/${refund}/reject`, { note: 'no' }, { key: OPERATOR_KEY });

describe('a pick-up code', () => {
  it('hands out what was ordered, and completes the order', async () => {
    const { id, pickup_code, items, delivery_timeout } = await paidOrder(api, lunch());
    expect([delivery_timeout, pickup_code]).toEqual([604_800, expect.stringMatching(/^\d{9}$/)]);
    const machineNo = freshMachine();
    const { status, body } = await redeem(machineNo, pickup_code.replace(/(...)/g, '$1 '));
    expect([status, body.order_id]).toEqual([200, id]);
    expect(body.items).toMatchObject([
      { id: items[0].id, name: 'Soup', quantity_released: 2, delivery: { status: 'picked_up', quantity_delivered: 2 } },
      {
        id: items[1].id,
        name: 'Bread',
        quantity_released: 1,
        delivery: { status: 'picked_up', quantity_delivered: 1 },
      },
    ]);
    expect(await reads(id)()).toMatchObject({ status: 'completed' });
    const { data } = (await api.call(`GET /v1/orders/${id}/events`)).body;
    expect(data.find(({ type }: any) => type === 'item.delivery_updated').actor).toEqual({
      type: 'machine',
      name: machineNo,
    });
    const row = await api.system.db.selectFrom('order_items').select('sends').where('order_id', '=', id).execute();
    expect(row.map(({ sends }) => sends)).toEqual([1, 1]);
    await replay(api.system, id as OrderId, 'picked-up');
  });

  it('at two machines in the same instant, at two API processes: hands out once (scenario 38)', async () => {
    const other = anotherApi(api);
    for (let round = 0; round < 5; round++) {
      const { id, pickup_code } = await paidOrder(api, lunch());
      const answers = await Promise.all([
        redeem(freshMachine(), pickup_code),
        redeem(freshMachine(), pickup_code, {}, other),
        redeem(freshMachine(), pickup_code),
        redeem(freshMachine(), pickup_code, {}, other),
      ]);
      expect(statuses(answers)).toEqual([200, 404, 404, 404]);
      expect((await reads(id)()).items[0].delivery.quantity_delivered).toBe(2);
      expect(await redeem(freshMachine(), pickup_code)).toMatchObject(INVALID);
    }
  });

  it('repeated with its key is the same redemption, also after a failure of ours', async () => {
    const { pickup_code } = await paidOrder(api, lunch());
    const machineNo = freshMachine();
    const lost = anotherApi(api, {
      gateway: {
        ...api.deps.gateway,
        async ask(...wish) {
          await api.deps.gateway.ask(...wish);
          throw Object.assign(new Error('away'), { code: 14, details: '', metadata: {} });
        },
      },
    });
    const failed = await redeem(machineNo, pickup_code, { idempotencyKey: 'lunch' }, lost);
    expect(failed).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
    const again = () => redeem(machineNo, pickup_code, { idempotencyKey: 'lunch' });
    const [first, second] = [await again(), await again()];
    expect(first).toMatchObject({ status: 200, body: { items: [{ quantity_released: 2 }, { quantity_released: 1 }] } });
    expect(second.body).toEqual(first.body);
    expect(await redeem(machineNo, pickup_code, { idempotencyKey: 'dinner' })).toMatchObject(INVALID);
  });

  it('is refused alike: wrong, unpaid, used, of another merchant or machine, of a test, under review, expired', async () => {
    const here = freshMachine();
    const unpaid = (await api.call('POST /v1/orders', tea(lunch()))).body;
    const test = (await api.call('POST /v1/orders', tea(lunch({ test: true })))).body;
    const bound = await paidOrder(api, lunch({ machine_no: here }));
    const asked = await paidOrder(api, lunch());
    const { body: refund } = await api.call(`POST /v1/orders/${asked.id}/refunds`, { reason: 'cold', amount: 1 });
    const late = await paidOrder(api, lunch({ delivery_timeout: 1 }));
    await until(reads(late.id), ({ items }) => items[0].delivery.status === 'timed_out');
    const answers = await Promise.all([
      redeem(freshMachine(), '000000000'),
      redeem(freshMachine(), 'what is this?'),
      redeem(freshMachine(), unpaid.pickup_code),
      redeem(freshMachine(), test.pickup_code),
      redeem(freshMachine(), bound.pickup_code),
      redeem(here, bound.pickup_code, { key: OTHER_KEY }),
      redeem(freshMachine(), asked.pickup_code),
      redeem(freshMachine(), late.pickup_code),
    ]);
    for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 404, body: answers[0]!.body });
    expect(answers[0]).toMatchObject(INVALID);
    await reject(asked.id, refund.id);
    expect((await redeem(freshMachine(), asked.pickup_code)).status).toBe(200);
    expect((await redeem(here, bound.pickup_code)).status).toBe(200);
    const [item] = late.items;
    await api.call(`POST /v1/orders/${late.id}/items/${item.id}/redeliver`, {});
    const { status, body } = await redeem(freshMachine(), late.pickup_code);
    expect([status, body.items.map(({ id }: any) => id)]).toEqual([200, [item.id]]);
    await replay(api.system, late.id as OrderId, 'picked-up-late');
  });

  it('does not hand out what went back', async () => {
    const { id, items, pickup_code } = await paidOrder(api, lunch());
    const one = { reason: 'too much', items: [{ item_id: items[0].id, quantity: 1 }] };
    const { body } = await api.call(`POST /v1/orders/${id}/refunds`, one);
    await approve(id, body.id);
    expect((await redeem(freshMachine(), pickup_code)).body.items).toMatchObject([
      { quantity_released: 1 },
      { quantity_released: 1 },
    ]);
  });

  it('needs the scope, and fields that make sense', async () => {
    const key = await addKey(api.system, 'sk_no_machines', ['orders:write']);
    expect(await redeem('1', '1', { key })).toMatchObject({
      status: 403,
      body: { code: 'forbidden', scope: 'machines' },
    });
    for (const body of [{}, { code: '' }, { code: 1 }, { code: '1'.repeat(65) }, { code: '1', more: 1 }])
      expect((await api.call('POST /v1/machines/1/pickup', body)).status).toBe(400);
    expect((await redeem('1'.repeat(201), '1')).status).toBe(400);
  });

  it('is of one machine: items of one order can not be picked up at two', async () => {
    const items = ['1', '2'].map((machine_no) => ({ ...lunch().items[0], machine_no }));
    expect(await api.call('POST /v1/orders', tea({ items }))).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'items.1.machine_no' }] },
    });
  });
});

describe('guessing', () => {
  const wrong = (machineNo: string, options: CallOptions = {}, call = api.call) =>
    redeem(machineNo, '000000000', options, call);

  it('is slowed down per machine, at all API processes together (scenario 38)', async () => {
    const other = anotherApi(api);
    const { pickup_code } = await paidOrder(api, lunch());
    const [machineNo, elsewhere] = [freshMachine(), freshMachine()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => wrong(machineNo, {}, n % 2 ? other : api.call)),
    );
    expect(statuses(answers)).toEqual([...Array(5).fill(404), ...Array(15).fill(429)]);
    for (const { headers } of answers.filter(({ status }) => status === 429)) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
    }
    expect(await redeem(machineNo, pickup_code)).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect((await redeem(elsewhere, pickup_code)).status).toBe(200);
  });

  it('is forgiven after a minute, guess by guess', async () => {
    const machineNo = freshMachine();
    for (let guess = 0; guess < 5; guess++) expect(await wrong(machineNo)).toMatchObject(INVALID);
    expect((await wrong(machineNo)).status).toBe(429);
    await api.system.db
      .updateTable('pickup_guesses')
      .set(
        (row) =>
          ({
            wrong_at: row.fn('array_prepend', [
              row.val(new Date(Date.now() - 61_000)),
              row.fn('trim_array', ['wrong_at', row.val(1)]),
            ]),
          }) as never,
      )
      .where('machine_no', '=', machineNo)
      .execute();
    expect(await wrong(machineNo)).toMatchObject(INVALID);
    expect((await wrong(machineNo)).status).toBe(429);
  });

  it('is not what a right code, or a failure of ours, counts as', async () => {
    const machineNo = freshMachine();
    for (let round = 0; round < 7; round++) {
      const { pickup_code } = await paidOrder(api, lunch());
      expect((await redeem(machineNo, pickup_code)).status).toBe(200);
    }
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 14, details: '', metadata: {} }));
    const down = anotherApi(api, { gateway: { ...api.deps.gateway, ask: away } });
    const { pickup_code } = await paidOrder(api, lunch());
    for (let round = 0; round < 7; round++) expect((await redeem(machineNo, pickup_code, {}, down)).status).toBe(503);
    expect((await redeem(machineNo, pickup_code)).status).toBe(200);
  });

  it('answered with "too early" is not kept for its key', async () => {
    const { pickup_code } = await paidOrder(api, lunch());
    const machineNo = freshMachine();
    for (let guess = 0; guess < 5; guess++) await wrong(machineNo);
    const try_ = () => redeem(machineNo, pickup_code, { idempotencyKey: 'patient' });
    expect((await try_()).status).toBe(429);
    await api.system.db.deleteFrom('pickup_guesses').where('machine_no', '=', machineNo).execute();
    expect((await try_()).status).toBe(200);
  });
});

describe('who sees a code', () => {
  it('is who may write orders, and the customer; not who may only read, and no notification', async () => {
    const { id, pickup_code } = await paidOrder(api, lunch());
    const reader = await addKey(api.system, 'sk_reader', ['orders:read']);
    const seen = async (key: string) => (await api.call(`GET /v1/orders/${id}`, undefined, { key })).body.pickup_code;
    expect(await seen(reader)).toBeNull();
    expect(await seen(OPERATOR_KEY)).toBeNull();
    expect(await seen(checkoutToken(api.sealer, id as OrderId))).toBe(pickup_code);
    const listed = (await api.call('GET /v1/orders?limit=1', undefined, { key: reader })).body.data[0];
    expect(listed).toMatchObject({ id, pickup_code: null });
    expect((await api.call('POST /v1/orders', tea())).body.pickup_code).toBeNull();
    const live = (await api.call(`GET /v1/orders/${id}?live=true`)).body;
    expect(live.pickup_code).toBe(pickup_code);
  });

  it('is nobody who reads the database, the history or the log (scenario 51)', async () => {
    const { id, pickup_code } = await paidOrder(api, lunch());
    await redeem(freshMachine(), pickup_code, { idempotencyKey: 'seen' });
    const { events } = await api.system.client.workflow.getHandle(orderWorkflowId(id as OrderId)).fetchHistory();
    expect(
      JSON.stringify(events, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)),
    ).not.toContain(pickup_code);
    for (const table of [
      'orders',
      'order_items',
      'order_events',
      'pickup_codes',
      'idempotency_keys',
      'outbox',
    ] as const) {
      const rows = await api.system.db.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows), table).not.toContain(pickup_code);
    }
  });
});

describe('codes of a merchant', () => {
  const sealer = createSealer([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
  const created = (order: string, merchant = 'demo'): Omit<OrderToCreate, 'pickupCode'> => ({
    ...openOrder({
      id: order as OrderId,
      merchant: merchant as MerchantId,
      title: 'Soup',
      currency: 'CNY',
      items: [{ quantity: 1, amount: 100, fulfilment: 'pickup', deliveryTimeoutSeconds: null, onFailure: 'ask' }],
      discount: 0,
      deliveryFee: 0,
      confirm: true,
      test: false,
      fourEyes: true,
      createdAt: Date.now(),
      expiresAt: Date.now() + 900_000,
      refundWindowSeconds: 0,
      autoReceiptAfterSeconds: 0,
    }),
    merchantOrderNo: order,
    channel: 'api',
    personal: null,
    customerHash: null,
    details: {
      confirm: true,
      expires_in: 900,
      delivery_timeout: null,
      auto_receipt_after: 0,
      refund_window: 0,
      return_url: null,
      metadata: null,
    },
    items: [{ sku: null, name: 'Soup', unitAmount: 100, machineNo: null }],
  });

  it('are unique among the live ones, and refused as a whole with their order', async () => {
    const { db } = api.system;
    const pickupCode = { ...newPickupCode(sealer, { order: 'a', merchant: 'demo', machineNo: null }), code: 'sealed' };
    const write = (order: string, merchant?: string) => createOrder(db, { ...created(order, merchant), pickupCode });
    expect(await write('ord_aaaaaaaaaaaaaaaaaaa1')).toMatchObject({
      numbers: { code: expect.any(Number), items: [expect.any(Number)] },
    });
    await expect(write('ord_aaaaaaaaaaaaaaaaaaa2')).rejects.toBeInstanceOf(CodeTaken);
    expect(await db.selectFrom('orders').select('id').where('id', '=', 'ord_aaaaaaaaaaaaaaaaaaa2').execute()).toEqual(
      [],
    );
    expect(await write('ord_aaaaaaaaaaaaaaaaaaa3', 'other')).toMatchObject({ numbers: { number: expect.any(Number) } });
    await db
      .updateTable('pickup_codes')
      .set({ live: false })
      .where('order_id', '=', 'ord_aaaaaaaaaaaaaaaaaaa1')
      .execute();
    expect(await write('ord_aaaaaaaaaaaaaaaaaaa2')).toMatchObject({ numbers: { number: expect.any(Number) } });
  });

  it('are found and read by older keys, too', () => {
    const place = { order: 'ord_1', merchant: 'demo', machineNo: null };
    const { hash, code } = newPickupCode(sealer, place);
    const rotated = createSealer([
      { id: 'k2', key: Buffer.alloc(32, 8) },
      { id: 'k1', key: Buffer.alloc(32, 7) },
    ]);
    const typed = readPickupCode(rotated, 'ord_1', code);
    expect(hashesOf(rotated, 'demo', typed).some((one) => one.equals(hash))).toBe(true);
    expect(hashesOf(rotated, 'other', typed).some((one) => one.equals(hash))).toBe(false);
  });
});
