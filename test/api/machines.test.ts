import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatchActivities } from '../../activities/dispatches.ts';
import type { Deps } from '../../activities/index.ts';
import { putMachineGateway } from '../../db/machines.ts';
import type { ItemId, MerchantId, OrderId } from '../../domain/ids.ts';
import { dispatchId } from '../../domain/ids.ts';
import { replay } from '../support/histories.ts';
import { until } from '../support/orders.ts';
import { anotherApi, machine, OPERATOR_KEY, OTHER_KEY, paidOrder, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

let machines = 0;
/** A machine that no other test uses. */
const freshMachine = () => `1632${process.pid}${machines++}`;
const drink = { name: 'Water', quantity: 1, unit_amount: 300, fulfilment: 'machine' };
const drinks = (machine_no: string, more: Record<string, unknown> = {}) => ({
  items: [1, 2, 3].map((slot) => ({ ...drink, sku: `slot-${slot}`, machine_no })),
  ...more,
});
const reads = (id: string) => async () => (await api.call(`GET /v1/orders/${id}`)).body;
const statuses = (order: any): string[] => order.items.map((item: any) => item.delivery.status);
const until3 = (id: string, wanted: string[]) =>
  until(reads(id), (order) => JSON.stringify(statuses(order)) === JSON.stringify(wanted), 40_000);
const tray = async (machineNo: string) => (await machine(api, machineNo)).dispatches;

/** A report as a merchant's own machine backend would send it. */
function report(
  body: unknown,
  change: { secret?: string; at?: number; headers?: Record<string, string>; merchant?: string } = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { secret = api.system.machineSecret, at = Date.now(), headers = {}, merchant = 'demo' } = change;
  const [id, seconds] = [`msg_${randomUUID()}`, String(Math.floor(at / 1000))];
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${text}`).digest('base64');
  const signed = { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${mac}` };
  return api.call(`POST /webhooks/machines/${merchant}`, undefined, {
    key: null,
    raw: text,
    headers: { ...signed, ...headers },
  });
}

describe.concurrent('a machine order', () => {
  it('is dispensed, record by record, and is completed by that', async () => {
    const machineNo = freshMachine();
    const { id, items } = await paidOrder(api, drinks(machineNo));
    expect(items.map((item: any) => [item.fulfilment, item.machine_no])).toEqual(Array(3).fill(['machine', machineNo]));
    const done = await until(reads(id), ({ status }) => status === 'completed');
    expect(statuses(done)).toEqual(['delivered', 'delivered', 'delivered']);
    const dispensed = await tray(machineNo);
    expect(dispensed.map((one: any) => [one.item, one.quantity, one.dispensed])).toEqual(
      expect.arrayContaining(items.map((item: any) => [item.id, 1, 1])),
    );
    expect(dispensed).toHaveLength(3);
    const events = (await api.call(`GET /v1/orders/${id}/events`)).body.data;
    const told = events.filter((event: any) => event.type === 'item.delivery_updated');
    const updates = told.flatMap((event: any) => event.data.items);
    const delivered = updates.filter(({ status }: any) => status === 'delivered');
    expect(delivered.map((item: any) => item.item_id).toSorted()).toEqual(items.map((item: any) => item.id).toSorted());
    expect(told.every((event: any) => event.actor.type === 'machine' && event.actor.name === machineNo)).toBe(true);
    const rows = await api.system.db
      .selectFrom('order_items')
      .select(['sends', 'number'])
      .where('order_id', '=', id)
      .execute();
    expect(rows.map(({ sends }) => sends)).toEqual([1, 1, 1]);
    expect(new Set(rows.map(({ number }) => number)).size).toBe(3);
    await replay(api.system, id as OrderId, 'dispensed');
  });

  it('takes its machine from the order where an item names none, and needs one', async () => {
    const machineNo = freshMachine();
    const { body } = await api.call('POST /v1/orders', tea({ items: [drink], machine_no: machineNo }));
    expect(body).toMatchObject({ machine_no: machineNo, delivery_timeout: 300, items: [{ machine_no: machineNo }] });
    const without = await api.call('POST /v1/orders', tea({ items: [{ ...drink, machine_no: null }, drink] }));
    expect(without).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(without.body.errors).toEqual([
      { path: 'items.0.machine_no', message: 'A machine item needs its machine_no.' },
      { path: 'items.1.machine_no', message: 'A machine item needs its machine_no.' },
    ]);
  });

  it('of a test is delivered by the system itself, and no machine is told', async () => {
    const machineNo = freshMachine();
    const { body } = await api.call('POST /v1/orders', tea(drinks(machineNo, { test: true })));
    expect(body.status).toBe('completed');
    expect(await tray(machineNo)).toEqual([]);
  });

  it('dispatches nothing while its cancellation is under review, and all after a rejection', async () => {
    const machineNo = freshMachine();
    const created = (await api.call('POST /v1/orders', tea(drinks(machineNo)))).body;
    await machine(api, machineNo, { mode: 'silent' });
    const { id } = await paidOrder(api, drinks(machineNo));
    expect(created.id).not.toBe(id);
    const cancelled = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
    expect([cancelled.status, statuses(cancelled.body)]).toEqual([202, ['waiting', 'waiting', 'waiting']]);
    await machine(api, machineNo, { mode: 'dispense' });
    await new Promise((resolve) => setTimeout(resolve, 3_000)); // As long as three pauses between tries.
    expect(await tray(machineNo)).toEqual([]);
    const [refund] = cancelled.body.refunds;
    await api.call(`POST /v1/orders/${id}/refunds/${refund.id}/reject`, { note: 'no' }, { key: OPERATOR_KEY });
    await until3(id, ['delivered', 'delivered', 'delivered']);
    expect(await tray(machineNo)).toHaveLength(3);
    await replay(api.system, id as OrderId, 'dispatch-held');
  });
});

describe.concurrent('one record of three (scenario 36)', () => {
  it('that jams is refunded by itself, the others are delivered', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'jam', item: 2 });
    const { id, items } = await paidOrder(api, drinks(machineNo));
    const done = await until(reads(id), (order) => order.refund_status === 'partial', 40_000);
    expect(statuses(done)).toEqual(['delivered', 'refunded', 'delivered']);
    expect(done).toMatchObject({ status: 'completed', amounts: { refunded: 300 } });
    expect(done.refunds).toMatchObject([
      { origin: 'delivery_failure', status: 'succeeded', items: [{ item_id: items[1].id, quantity: 1, amount: 300 }] },
    ]);
    await replay(api.system, id as OrderId, 'jammed-and-refunded');
  });
});

describe.concurrent('a machine that does not answer', () => {
  it('is told again until it does, and dispenses once', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'silent' });
    const { id } = await paidOrder(api, { items: [{ ...drink, machine_no: machineNo }] });
    // The first call had no answer: perhaps it is dispensing.
    await until3(id, ['delivering']);
    await until(
      () => machine(api, machineNo),
      ({ ignored }) => ignored >= 2,
    );
    await machine(api, machineNo, { mode: 'dispense' });
    await until3(id, ['delivered']);
    expect(await tray(machineNo)).toMatchObject([{ dispensed: 1 }]);
    await replay(api.system, id as OrderId, 'dispatch-lost');
  });

  it('but was told: that less is wanted when it is told again is no refusal', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'dispense', delay_ms: 600_000 });
    const { id, items } = await paidOrder(api, { items: [{ ...drink, quantity: 3, machine_no: machineNo }] });
    await until3(id, ['delivering']);
    const { db } = api.system;
    const machines = async (merchant: string) => (await api.system.findMachines(merchant))!;
    const activities = dispatchActivities({
      db,
      machines,
      notifyUrl: () => 'http://127.0.0.1:9',
    } as unknown as Deps);
    const told = { order: id, merchant: 'demo' as MerchantId, item: items[0].id, dispatch: 1, quantity: 2 };
    expect((await activities.dispatchItem({ ...told, mayBeTaken: true })).finding).toEqual({ state: 'taken' });
    expect((await activities.dispatchItem({ ...told, mayBeTaken: false })).finding).toMatchObject({ state: 'refused' });
    expect(await tray(machineNo)).toMatchObject([{ quantity: 3 }]);
  });

  it('times the item out, and the money goes back (scenario 37)', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'silent', item: 1 });
    const { id } = await paidOrder(api, drinks(machineNo, { delivery_timeout: 10 }));
    await until(reads(id), (order) => statuses(order)[0] === 'timed_out', 40_000);
    const done = await until(
      reads(id),
      (order) => order.refund_status !== 'pending' && order.refunds.length > 0,
      40_000,
    );
    const types = (await api.call(`GET /v1/orders/${id}/events`)).body.data.map((event: any) => event.type);
    expect(types).toContain('refund.succeeded');
    expect(statuses(done)).toEqual(['refunded', 'delivered', 'delivered']);
    expect(done).toMatchObject({ status: 'completed', refund_status: 'partial' });
    await replay(api.system, id as OrderId, 'timed-out');
  });

  it('keeps no other machine waiting, however many of its records are due', async () => {
    const [silent, working] = [freshMachine(), freshMachine()];
    await machine(api, silent, { mode: 'silent' });
    const items = [...Array.from({ length: 10 }, () => silent), working].map((machine_no) => ({
      ...drink,
      machine_no,
    }));
    const { id } = await paidOrder(api, { items, delivery_timeout: 40 });
    const order = await until(reads(id), (one) => statuses(one)[10] === 'delivered', 40_000);
    expect(statuses(order).slice(0, 10)).toEqual(Array(10).fill('delivering'));
    await replay(api.system, id as OrderId, 'ten-silent-one-not');
  });

  it('because the merchant has no machines is the same: its time runs out', async () => {
    const gift = { items: [{ ...drink, unit_amount: 0, machine_no: freshMachine() }], delivery_timeout: 2 };
    const { body } = await api.call('POST /v1/orders', tea(gift), { key: OTHER_KEY });
    expect([body.status, body.items[0].delivery.status]).toEqual(['paid', 'waiting']);
    const read = async () => (await api.call(`GET /v1/orders/${body.id}`, undefined, { key: OTHER_KEY })).body;
    expect(await until(read, ({ status }) => status !== 'paid')).toMatchObject({
      status: 'cancelled',
      cancel_reason: 'refunded',
      refunds: [{ origin: 'delivery_failure', amount: 0, status: 'succeeded' }],
    });
  });
});

describe('reports of a machine', () => {
  it('come twice and late, and change nothing then', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'dispense', reports: 3, delay_ms: 5000 });
    const { id, items } = await paidOrder(api, { items: [{ ...drink, machine_no: machineNo }], delivery_timeout: 1 });
    const late = await until(reads(id), (order) => statuses(order)[0] === 'timed_out', 40_000);
    expect(late.refunds).toMatchObject([{ origin: 'delivery_failure' }]);
    const shown = await until(reads(id), ({ attention }) => attention.length > 0);
    expect(shown.attention).toMatchObject([{ code: 'delivered_after_refund' }]);
    expect(await tray(machineNo)).toMatchObject([{ dispensed: 1, report: 'accepted' }]);
    const dispatch_id = dispatchId(items[0].id as ItemId, 1);
    const { version } = await reads(id)();
    expect((await report({ dispatch_id, status: 'delivered', dispensed: 1 })).status).toBe(204);
    expect((await report({ dispatch_id, status: 'failed' })).status).toBe(204);
    const seen = await reads(id)();
    expect(statuses(seen).every((status) => ['timed_out', 'refunded'].includes(status))).toBe(true);
    expect(seen.version - version).toBeLessThanOrEqual(2); // Its refund may have settled meanwhile.
  });

  it('count what came out', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'dispense', delay_ms: 600_000 });
    const { id, items } = await paidOrder(api, { items: [{ ...drink, quantity: 3, machine_no: machineNo }] });
    await until3(id, ['delivering']);
    const dispatch_id = dispatchId(items[0].id as ItemId, 1);
    await report({ dispatch_id, status: 'delivering', dispensed: 2 });
    await until(reads(id), (order) => order.items[0].delivery.quantity_delivered === 2);
    await report({ dispatch_id, status: 'delivered' });
    expect(await until(reads(id), ({ status }) => status === 'completed')).toMatchObject({
      items: [{ delivery: { quantity_delivered: 3 } }],
    });
  });

  it('are believed only with a right signature of now, over the very bytes', async () => {
    const machineNo = freshMachine();
    await machine(api, machineNo, { mode: 'dispense', delay_ms: 600_000 });
    const { id, items } = await paidOrder(api, { items: [{ ...drink, machine_no: machineNo }] });
    const { version } = await until3(id, ['delivering']);
    const body = { dispatch_id: dispatchId(items[0].id as ItemId, 1), status: 'delivered' };
    const wrong = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    for (const change of [
      { secret: wrong },
      { at: Date.now() - 360_000 },
      { at: Date.now() + 360_000 },
      { headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 60) } },
      { headers: { 'webhook-id': 'msg_other' } },
      { headers: { 'webhook-signature': '' } },
      { headers: { 'webhook-signature': 'v1,' } },
      { headers: { 'webhook-signature': 'v1a,AAAA' } },
    ])
      expect(await report(body, change)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect((await report(body, { headers: { 'webhook-signature': 'v1,AAAA v1,BBBB' } })).status).toBe(401);
    expect((await reads(id)()).version).toBe(version);
    const metrics = (await api.call('GET /metrics', undefined, { key: null })).body;
    expect(metrics).toMatch(/orders_provider_notices_total\{provider="machines",outcome="rejected"\} 9/);
  });

  it('must have the form of one, and name a dispatch of that merchant', async () => {
    for (const [body, path] of [
      ['nothing', ''],
      [{ dispatch_id: 'x', status: 'eaten' }, 'status'],
      [{ dispatch_id: 'x', status: 'delivered', dispensed: 0 }, 'dispensed'],
      [{ dispatch_id: 'x', status: 'failed', dispensed: 0.5 }, 'dispensed'],
    ] as const)
      expect(await report(body)).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path }] } });
    const shipment = (await api.call('POST /v1/orders', tea())).body.items[0].id;
    for (const dispatch_id of ['x', 'dsp_aaaaaaaaaaaaaaaaaaaa0001x1', dispatchId(shipment, 1)])
      expect(await report({ dispatch_id, status: 'delivered' })).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    expect((await report('x'.repeat(70_000))).status).toBe(413);
    expect((await report({}, { merchant: 'nobody' })).status).toBe(404);
    const secrets = [api.system.machineSecret];
    await putMachineGateway(api.system.db, 'other', { url: 'http://127.0.0.1:9/', secrets });
    const { items } = (await api.call('POST /v1/orders', tea({ items: [drink], machine_no: freshMachine() }))).body;
    const foreign = { dispatch_id: dispatchId(items[0].id, 1), status: 'delivered' };
    expect((await report(foreign, { merchant: 'other' })).status).toBe(404);
  });

  it('are answered with success only once they are safe', async () => {
    const away = { code: 14, details: 'unavailable', metadata: {} };
    const gateway = { ...api.deps.gateway, tellDelivery: () => Promise.reject(Object.assign(new Error(), away)) };
    const call = anotherApi(api, { gateway });
    const { items } = (await api.call('POST /v1/orders', tea({ items: [drink], machine_no: freshMachine() }))).body;
    const text = JSON.stringify({ dispatch_id: dispatchId(items[0].id, 1), status: 'delivered' });
    const [id, seconds] = ['msg_1', String(Math.floor(Date.now() / 1000))];
    const key = Buffer.from(api.system.machineSecret.replace('whsec_', ''), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${seconds}.${text}`).digest('base64');
    const headers = { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${mac}` };
    const answer = await call('POST /webhooks/machines/demo', undefined, { key: null, raw: text, headers });
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
  });
});

// Last: from here on this merchant wants to be asked.
describe('one record of three, where the merchant asks (scenario 36)', () => {
  it('that jams is delivered again, under a new dispatch', async () => {
    const machineNo = freshMachine();
    await api.system.db
      .updateTable('merchants')
      .set(
        (row) =>
          ({
            settings: row.fn('jsonb_set', ['settings', row.val('{on_delivery_failure}'), row.val('"ask"')]),
          }) as never,
      )
      .where('id', '=', 'demo')
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 3_100)); // A key's settings are kept for three seconds.
    await machine(api, machineNo, { mode: 'jam', item: 2 });
    const { id, items } = await paidOrder(api, drinks(machineNo));
    const jammed = await until3(id, ['delivered', 'failed', 'delivered']);
    expect(jammed).toMatchObject({ status: 'processing', attention: [{ code: 'delivery_failed' }] });
    await machine(api, machineNo, { mode: 'dispense' });
    const again = () => api.call(`POST /v1/orders/${id}/items/${items[1].id}/redeliver`, {});
    expect((await Promise.all([again(), again(), again()])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await until(reads(id), ({ status }) => status === 'completed')).toMatchObject({ refunds: [] });
    const dispensed = (await tray(machineNo)).filter((one: any) => one.item === items[1].id);
    expect(dispensed.map((one: any) => one.status)).toEqual(['jammed', 'dispensed']);
    await replay(api.system, id as OrderId, 'jammed-and-redelivered');
  });
});
