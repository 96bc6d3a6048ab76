import { connect as connectTo, createServer, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../api/app.ts';
import { signatureOf } from '../../api/course/signature.ts';
import type { ApiDeps } from '../../api/env.ts';
import { temporalGateway, type OrderGateway } from '../../client/gateway.ts';
import { putApplication } from '../../db/applications.ts';
import { connect, FOR_WAITING_CLIENTS } from '../../db/connect.ts';
import { putAlbum, putCourseUser } from '../../db/courses.ts';
import { findMachineGateway } from '../../db/machines.ts';
import { findProviderAccount } from '../../db/merchants.ts';
import type { OrderId } from '../../domain/ids.ts';
import { machineGateways } from '../../devices/gateways.ts';
import { pages } from '../../pages/index.ts';
import { providerAccounts } from '../../providers/accounts.ts';
import { freePort } from '../../start/ports.ts';
import { until } from '../support/orders.ts';
import { anotherApi, MERCHANT_KEY, paidOrder, startApi, tea, type TestApi } from './support.ts';

/** What is answered while the database or Temporal is away, or silent: contract, section 7. */
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  const { db } = api.system;
  await putApplication(db, { id: 'app', merchant: 'demo', name: 'app', secret: 'secret', machines: ['16330001'] });
  const teacher = { id: 9501, token: 'teacher_away', merchant: 'demo', name: '张老师', role: 'teacher' } as const;
  await putCourseUser(db, teacher);
  await putCourseUser(db, { ...teacher, id: 9502, token: 'student_away', role: 'student' });
  await putAlbum(db, { id: 901, merchant: 'demo', teacher: 9501, title: '我的直播课', price: 9900 });
});
afterAll(() => api?.stop());

type Request = [name: string, call: string, init?: { headers?: Record<string, string>; body?: string }];
const BEARER = { authorization: `Bearer ${MERCHANT_KEY}` };
const JSON_BODY = { ...BEARER, 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const OURS = { appid: 'app', appsecret: 'secret' };

/** With the pages, and without a port. */
function sending(change: Partial<ApiDeps>) {
  const lifecycle = { stopping: new AbortController().signal, background: new Set<Promise<unknown>>() };
  const app = createApp({ ...api.deps, registry: new Registry(), ...change }, lifecycle, pages);
  return async ([name, call, { headers = {}, body } = {}]: Request) => {
    const [method = '', path = ''] = call.split(' ');
    const answer = await app.request(path, { method, headers, ...(body !== undefined && { body }) }, {});
    const hint = answer.headers.get('retry-after');
    return { name, status: answer.status, hint, text: await answer.text() };
  };
}
const created = async (more = {}) => (await api.call('POST /v1/orders', tea({ confirm: false, ...more }))).body;
const tokenOf = ({ checkout_url }: { checkout_url: string }) => new URL(checkout_url).search;

describe('whoever is told to come again is told when', () => {
  it('while the database is away', async () => {
    const db = connect(`postgres://nobody@127.0.0.1:${await freePort()}/none`);
    const findProvider = providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), {});
    const findMachines = machineGateways((merchant) => findMachineGateway(db, merchant), {});
    const ready = async () => [{ name: 'database', ready: false }];
    const send = sending({ db, findProvider, findMachines, ready });
    const order = await created();
    const refused: Request[] = [
      ['native, reading', 'GET /v1/orders', { headers: BEARER }],
      ['native, writing', 'POST /v1/orders', { headers: JSON_BODY, body: JSON.stringify(tea()) }],
      [
        'a stream of events',
        `GET /v1/orders/${order.id}/events`,
        { headers: { ...BEARER, accept: 'text/event-stream' } },
      ],
      ['the checkout', `GET /pay/${order.id}${tokenOf(order)}`],
      ["the checkout's stream", `GET /pay/${order.id}/events${tokenOf(order)}`],
      ['the console', 'GET /console', { headers: { cookie: 'console_session=x' } }],
      ['a notice', 'POST /webhooks/wechatpay/demo', { body: '{}' }],
      ["a machine's report", 'POST /webhooks/machines/demo', { body: '{}' }],
      ['readiness', 'GET /readyz'],
    ];
    for (const answer of await Promise.all(refused.map(send)))
      expect(answer).toMatchObject({ name: answer.name, status: 503, hint: '2' });
    const dialects: Request[] = [
      ['vending', 'POST /api/openapi/v1/orders', { headers: OURS, body: '{"payload":"e30="}' }],
      ['a course', 'GET /order/list?token=x'],
      ["a course's notice", 'POST /order/alipay', { headers: FORM, body: 'result=0&trade_no=1-2-abcd' }],
    ];
    for (const answer of await Promise.all(dialects.map(send)))
      expect(answer).toMatchObject({ name: answer.name, status: 200, hint: '2' });
    await db.destroy();
  });

  it('while Temporal is away', async () => {
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 14, details: 'x', metadata: {} }));
    const gateway = { ...api.deps.gateway, ask: away, start: away, tellNotice: away, tellDelivery: away, live: away };
    const send = sending({ gateway });
    const order = await created();
    const form = { headers: { ...FORM, origin: api.url }, body: '' };
    for (const request of [
      ['reading live', `GET /v1/orders/${order.id}?live=true`, { headers: BEARER }],
      ['writing', `POST /v1/orders/${order.id}/confirm`, { headers: JSON_BODY }],
      ['the checkout', `POST /pay/${order.id}/confirm${tokenOf(order)}`, form],
    ] satisfies Request[])
      expect(await send(request)).toMatchObject({ name: request[0], status: 503, hint: '2' });
    const product = { product_id: 121, quantity: 1, price: '1.00' };
    const timestamp = String(Math.floor(Date.now() / 1000));
    const wanted = { machine_no: '16330001', timestamp, trade_id: 'T1', products: [product] };
    const body = JSON.stringify({ payload: Buffer.from(JSON.stringify(wanted)).toString('base64') });
    const vending = await send(['vending', 'POST /api/openapi/v1/orders', { headers: OURS, body }]);
    expect(vending).toMatchObject({ status: 200, hint: '2', text: expect.stringContaining('50000') });
  });

  it('a course client’s notice is safe, and is not held up by a Temporal that is away', async () => {
    const away = () => Promise.reject(Object.assign(new Error('away'), { code: 14, details: 'x', metadata: {} }));
    const send = sending({ gateway: { ...api.deps.gateway, tellNotice: away } });
    const { text } = await send(['course', 'GET /order/create?token=student_away&album_id=901']);
    const { trade_no } = JSON.parse(text).data.items[0];
    const told = { result: 'SUCCESS', trade_no, third_trade_no: 'x1', third_buyer_id: 'b', amount: '99.00' };
    const sign = signatureOf(new URLSearchParams(told), 'course_demo_secret');
    const began = performance.now();
    const request = new URLSearchParams({ ...told, sign }).toString();
    const answer = await send(['notice', 'POST /order/alipay', { headers: FORM, body: request }]);
    expect(answer).toMatchObject({ status: 200, text: '{"code":0}' });
    expect(performance.now() - began).toBeLessThan(4_000); // Its order is waited for 5 s, where it was told.
  });
});

/** How much later than they are due timers go off here, after these pauses. Milliseconds. */
async function latenessOf(...pauses: number[]): Promise<number> {
  const began = performance.now();
  for (const pause of pauses) await new Promise((resolve) => setTimeout(resolve, pause));
  return performance.now() - began - pauses.reduce((sum, pause) => sum + pause, 0);
}

describe('a Temporal that falls silent', () => {
  const silence = () => new Promise<never>(() => {});
  const silent = () => ({ ...api.deps.gateway, ask: silence, live: silence });

  it('is answered for with 503 within two seconds', async () => {
    const ready = async () => [{ name: 'temporal', ready: false }];
    const call = anotherApi(api, { gateway: silent(), ready });
    const { body } = await call('POST /v1/orders', tea({ confirm: false }));
    for (const request of [`POST /v1/orders/${body.id}/confirm`, `GET /v1/orders/${body.id}?live=true`]) {
      const began = Date.now();
      const answer = await call(request);
      expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
      expect(Date.now() - began).toBeLessThan(2_000);
    }
    expect((await call(`GET /v1/orders/${body.id}`)).status).toBe(200);
  });

  it('in the midst of a call, is noticed as soon', async () => {
    let fell = Infinity;
    const ready = async () => {
      const isAway = performance.now() > fell;
      if (isAway) await new Promise((resolve) => setTimeout(resolve, 1_400)); // As a check that gets no answer.
      return [{ name: 'temporal', ready: !isAway }];
    };
    const call = anotherApi(api, { gateway: silent(), ready });
    const { id } = await created();
    const lateness = latenessOf(500, 400, 1_400);
    setTimeout(() => (fell = performance.now()), 500);
    expect((await call(`POST /v1/orders/${id}/confirm`)).status).toBe(503);
    expect(performance.now() - fell - (await lateness)).toBeLessThan(2_000);
  });

  it('before a report of a delivery is saved, is answered for just so', async () => {
    const { id, items } = await paidOrder(api, {});
    const taken = { ...api.deps.gateway, tellDelivery: async () => {} };
    const call = anotherApi(api, { gateway: taken, ready: async () => [{ name: 'temporal', ready: false }] });
    const began = performance.now();
    const answer = await call(`POST /v1/orders/${id}/items/${items[0].id}/delivery`, { status: 'delivered' });
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
    expect(performance.now() - began).toBeLessThan(5_000); // It is waited for 10 s else.
  });

  it('or says "not now" again and again is asked again, but not for long', async () => {
    let asked = 0;
    const aborted = Object.assign(new Error('aborted'), { code: 10, details: 'aborted', metadata: {} });
    const client = {
      connection: { withDeadline: (_: number, call: () => unknown) => call() },
      workflow: { executeUpdateWithStart: () => (asked++, Promise.reject(aborted)) },
    };
    const lateness = latenessOf(100, 200, 400, 800, 1_600);
    const began = performance.now();
    const wish = { type: 'retry', by: { type: 'system', name: null } } as const;
    await expect(temporalGateway(client as never, Date.now).ask('ord_1' as OrderId, wish)).rejects.toThrow('aborted');
    expect(performance.now() - began - (await lateness)).toBeLessThan(5_000);
    expect(asked).toBeGreaterThan(1);
  });

  it('but one that is only slow is waited for', async () => {
    const slow = {
      ...api.deps.gateway,
      ask: async (...args: Parameters<OrderGateway['ask']>) => {
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        return api.deps.gateway.ask(...args);
      },
    };
    const call = anotherApi(api, { gateway: slow, ready: async () => [{ name: 'temporal', ready: true }] });
    const { body } = await call('POST /v1/orders', tea({ confirm: false }));
    expect((await call(`POST /v1/orders/${body.id}/confirm`)).status).toBe(200);
  });
});

describe('a database that falls silent', () => {
  it('is answered for with 503 within two seconds, however many ask, and counts again when it is back', async () => {
    const silent = await proxyTo(new URL(api.system.databaseUrl));
    const db = connect(silent.url, FOR_WAITING_CLIENTS);
    const call = anotherApi(api, { db });
    expect((await call('GET /v1/orders?limit=1')).status).toBe(200);
    silent.hold();
    for (let i = 0; i < 2; i++) {
      const lateness = latenessOf(900, 1_000);
      const answers = await Promise.all(
        // Ten have a connection each; whoever comes later gets one when their time is over.
        Array.from({ length: 20 }, async (_, index) => {
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, index - 9) * 100));
          const began = performance.now();
          const answer = await call('GET /v1/orders?limit=1');
          return { ...answer, tookMs: performance.now() - began };
        }),
      );
      const late = await lateness;
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
      expect(Math.max(...answers.map(({ tookMs }) => tookMs)) - late).toBeLessThan(2_000);
    }
    silent.goOn();
    await until(
      () => call('GET /v1/orders?limit=1'),
      ({ status }) => status === 200,
    );
    await db.destroy();
    silent.stop();
  });

  it('holds up no answer of 500 or more until its Idempotency-Key is free again', async () => {
    const silent = await proxyTo(new URL(api.system.databaseUrl));
    const db = connect(silent.url); // Which waits for ever.
    const ask = () => {
      silent.hold();
      return Promise.reject(Object.assign(new Error('away'), { code: 14, details: 'x', metadata: {} }));
    };
    const call = anotherApi(api, { db, gateway: { ...api.deps.gateway, ask } });
    const { body } = await call('POST /v1/orders', tea({ confirm: false }));
    const confirm = `POST /v1/orders/${body.id}/confirm`;
    expect((await call(confirm, undefined, { idempotencyKey: 'k' })).status).toBe(503);
    silent.goOn();
    expect((await api.call(confirm, undefined, { idempotencyKey: 'k' })).status).toBe(200);
    await db.destroy();
    silent.stop();
  });

  /** Hands everything on, until it is told to hold it. */
  async function proxyTo(target: URL): Promise<{ url: string; hold(): void; goOn(): void; stop(): void }> {
    const sockets = new Set<Socket>();
    let held = false;
    const server = createServer((near) => {
      const far = connectTo(Number(target.port), target.hostname);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
        if (held) socket.pause();
      }
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const url = new URL(target);
    url.port = String(port);
    return {
      url: url.href,
      hold() {
        held = true;
        for (const socket of sockets) socket.pause();
      },
      goOn() {
        held = false;
        for (const socket of sockets) socket.resume();
      },
      stop() {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  }
});
