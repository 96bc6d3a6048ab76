import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, OTHER_KEY, tea, type TestApi } from '../api/support.ts';
import { isSignedBy, startReceiver, verify, type Receiver } from './receiver.ts';

/** Scenarios 39 to 44 on the real system, but for the long pauses: see pauses.test.ts. */

let api: TestApi;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  api = await startApi();
});
afterAll(async () => {
  await api?.stop();
  await receiver?.stop();
});

const endpoint = async (path: string, more: object = {}, key?: string) => {
  const made = await api.call('POST /v1/webhook-endpoints', { url: receiver.url + path, ...more }, key ? { key } : {});
  expect(made.status).toBe(201);
  return made.body as { id: string; secret: string };
};
const free = { items: [{ name: 'Sample', quantity: 1, unit_amount: 0, fulfilment: 'shipment' }] };
const order = async (more = {}) => (await api.call('POST /v1/orders', tea(more))).body as { id: string; items: any[] };
const cancel = (id: string) => api.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
const remove = (id: string) => api.call(`DELETE /v1/webhook-endpoints/${id}`);
const told = async (query: string) => (await api.call(`GET /v1/notifications?${query}`)).body.data as any[];
const eventually = (check: () => void | Promise<void>) =>
  expect
    .poll(
      async () => {
        try {
          await check();
          return true;
        } catch (error) {
          return error;
        }
      },
      { timeout: 45_000, interval: 200 },
    )
    .toBe(true);
const TIMEOUT = 90_000;

it('tells what happened to an order, in its order, signed', { timeout: TIMEOUT }, async () => {
  const { id: endpointId, secret } = await endpoint('/all');
  const { id } = await order();
  await cancel(id);
  await eventually(() => expect(receiver.at('/all')).toHaveLength(2));
  const [created, cancelled] = receiver.at('/all');
  for (const one of [created!, cancelled!]) expect(verify(secret, one)).toEqual(one.body);
  expect([created!.body.type, cancelled!.body.type]).toEqual(['order.created', 'order.cancelled']);
  const now = (await api.call(`GET /v1/orders/${id}`)).body;
  const secretive = { workflow: null, checkout_url: null, pickup_code: null, delivery: null, customer: null };
  expect(cancelled!.body.data).toEqual({ ...now, ...secretive });
  expect(created!.body.data).toMatchObject({ id, status: 'pending_payment', version: 1 });
  await eventually(async () => {
    const listed = await told(`order_id=${id}&status=delivered`);
    expect(listed.map((one) => one.id)).toEqual([cancelled, created].map((one) => one!.headers['webhook-id']));
    expect(listed[0]).toMatchObject({ endpoint_id: endpointId, last_error: null });
    expect(listed[0].attempts).toMatchObject([{ status: 204, error: null, duration_ms: expect.any(Number) }]);
  });
  expect((await remove(endpointId)).status).toBe(204);
});

it('tells only the types that were asked for, and of a delivery only what changed', { timeout: TIMEOUT }, async () => {
  const { id: endpointId } = await endpoint('/items', { types: ['item.delivery_updated'] });
  const item = { ...free.items[0]!, quantity: 1 };
  const { id, items } = await order({ items: [item, item] });
  await api.call(`POST /v1/orders/${id}/items/${items[1].id}/delivery`, { status: 'delivered' });
  await eventually(() => expect(receiver.at('/items')).toHaveLength(1));
  const [{ body }] = receiver.at('/items') as [any];
  expect(body.data.items.map((one: any) => [one.id, one.delivery.status])).toEqual([[items[1].id, 'delivered']]);
  await remove(endpointId);
});

it('signs with both secrets while one follows the other', { timeout: TIMEOUT }, async () => {
  const { id: endpointId, secret } = await endpoint('/rotated');
  const rotate = async (overlap_seconds: number) =>
    (await api.call(`POST /v1/webhook-endpoints/${endpointId}/rotate-secret`, { overlap_seconds })).body.secret;
  const second = await rotate(3600);
  await order();
  await eventually(() => expect(receiver.at('/rotated')).toHaveLength(1));
  expect([secret, second].map((one) => isSignedBy(one, receiver.at('/rotated')[0]!))).toEqual([true, true]);
  const third = await rotate(0);
  await order();
  await eventually(() => expect(receiver.at('/rotated')).toHaveLength(2));
  expect([secret, second, third].map((one) => isSignedBy(one, receiver.at('/rotated')[1]!))).toEqual([
    false,
    false,
    true,
  ]);
  await remove(endpointId);
});

it('switches an endpoint off that is gone, and tells it the rest once it is back', { timeout: TIMEOUT }, async () => {
  receiver.respond = (response, { path }, count) =>
    void response.writeHead(path === '/gone' && count === 1 ? 410 : 204).end();
  const { id: endpointId } = await endpoint('/gone');
  const { id } = await order();
  await eventually(async () => {
    const { data } = (await api.call('GET /v1/webhook-endpoints')).body;
    expect(data.find((one: any) => one.id === endpointId)).toMatchObject({ status: 'disabled' });
  });
  const [waiting] = await told(`order_id=${id}`);
  expect(waiting).toMatchObject({ status: 'pending', last_error: 'answered 410' });
  expect((await api.call(`POST /v1/notifications/${waiting.id}/resend`)).body.code).toBe('invalid_state');
  expect((await api.call(`POST /v1/webhook-endpoints/${endpointId}/enable`)).body.status).toBe('enabled');
  await eventually(() => expect(receiver.at('/gone')).toHaveLength(2));
  await remove(endpointId);
});

it('tries again what failed: the same id and bytes, a new time and signature', { timeout: TIMEOUT }, async () => {
  receiver.respond = (response, { path }, count) => {
    if (path === '/flaky' && count === 1) response.writeHead(302, { location: `${receiver.url}/elsewhere` }).end();
    else response.writeHead(204).end();
  };
  const { id: endpointId } = await endpoint('/flaky');
  const { id } = await order();
  await cancel(id);
  await eventually(() => expect(receiver.at('/flaky')).toHaveLength(3));
  const [first, again, later] = receiver.at('/flaky') as [any, any, any];
  expect([again.text, again.headers['webhook-id']]).toEqual([first.text, first.headers['webhook-id']]);
  expect(Number(again.headers['webhook-timestamp'])).toBeGreaterThan(Number(first.headers['webhook-timestamp']));
  expect(again.headers['webhook-signature']).not.toBe(first.headers['webhook-signature']);
  expect(later.body.type).toBe('order.cancelled');
  expect(receiver.at('/elsewhere')).toEqual([]);
  await eventually(async () => {
    const listed = await told(`order_id=${id}`);
    expect(listed.at(-1).attempts).toMatchObject([
      { status: 302, error: 'answered 302' },
      { status: 204, error: null },
    ]);
  });
  const given = listed(await told(`order_id=${id}`));
  expect((await api.call(`POST /v1/notifications/${given}/resend`)).status).toBe(202);
  await eventually(() => expect(receiver.at('/flaky').at(3)?.text).toBe(first.text));
  await remove(endpointId);
});
const listed = (all: any[]) => all.at(-1).id as string;

it('leaves an endpoint alone for as long as it asks', { timeout: TIMEOUT }, async () => {
  receiver.respond = (response, { path }, count) => {
    if (path === '/busy' && count === 1) response.writeHead(429, { 'retry-after': '9' }).end();
    else response.writeHead(204).end();
  };
  const { id: endpointId } = await endpoint('/busy');
  const { id } = await order();
  await eventually(() => expect(receiver.at('/busy')).toHaveLength(1));
  await order();
  await eventually(() => expect(receiver.at('/busy')).toHaveLength(3));
  const [first, second, third] = receiver.at('/busy').map(({ at }) => at);
  expect(Math.min(second!, third!) - first!).toBeGreaterThan(8_500);
  await eventually(async () => expect((await told(`order_id=${id}`))[0].status).toBe('delivered'));
  await remove(endpointId);
});

it('tells others as quickly while one endpoint hangs', { timeout: TIMEOUT }, async () => {
  receiver.respond = (response, { path }) => {
    if (path !== '/hanging') response.writeHead(204).end();
  };
  const { id: well } = await endpoint('/well', { types: ['order.created'] });
  const delay = async (orders: number) => {
    const delays: number[] = [];
    for (let index = 0; index < orders; index++) {
      const began = Date.now();
      const { id } = await order();
      await expect
        .poll(() => receiver.at('/well').some(({ body }) => body.data.id === id), { timeout: 45_000, interval: 20 })
        .toBe(true);
      delays.push(Date.now() - began);
    }
    return delays.toSorted((a, b) => a - b)[Math.floor(orders / 2)]!;
  };
  await delay(3); // Warm.
  const before = await delay(7);
  const { id: hanging } = await endpoint('/hanging');
  await order();
  await eventually(() => expect(receiver.at('/hanging').length).toBeGreaterThan(0));
  const during = await delay(7);
  expect(during / before).toBeLessThan(4);
  expect(await told('status=delivered').then((all) => all.filter((one) => one.endpoint_id === hanging))).toEqual([]);
  await remove(hanging);
  await remove(well);
});

it('shows one merchant nothing of another', async () => {
  const { id: endpointId } = await endpoint('/mine');
  const { id } = await order();
  const [mine] = await told(`order_id=${id}`);
  for (const request of [
    `DELETE /v1/webhook-endpoints/${endpointId}`,
    `POST /v1/webhook-endpoints/${endpointId}/enable`,
    `POST /v1/webhook-endpoints/${endpointId}/rotate-secret`,
    `POST /v1/notifications/${mine.id}/resend`,
  ])
    expect([request, (await api.call(request, undefined, { key: OTHER_KEY })).status]).toEqual([request, 404]);
  const theirs = await api.call(`GET /v1/notifications?order_id=${id}`, undefined, { key: OTHER_KEY });
  expect(theirs.body.data).toEqual([]);
  await remove(endpointId);
});

it('keeps secrets sealed', async () => {
  const { id, secret } = await endpoint('/sealed');
  const row = await api.system.db.selectFrom('webhook_endpoints').selectAll().where('id', '=', id).executeTakeFirst();
  expect(JSON.stringify(row)).not.toContain(secret.slice(6));
  const [listedOne] = (await api.call('GET /v1/webhook-endpoints')).body.data;
  expect(Object.keys(listedOne)).not.toContain('secret');
  await remove(id);
});
