import type { z } from 'zod';
import pino from 'pino';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { createApp } from '../../api/app.ts';
import type { ApiDeps } from '../../api/env.ts';
import { runApi } from '../../api/server.ts';
import { connect } from '../../db/connect.ts';
import { putKey, putMerchant } from '../../db/merchants.ts';
import { createSavedFeed } from '../../db/saved-feed.ts';
import { SCOPES, type Scope } from '../../db/schema.ts';
import type { Sealer } from '../../db/sealed.ts';
import { pages } from '../../pages/index.ts';
import { freePort } from '../../start/ports.ts';
import { control, until } from '../support/orders.ts';
import { showWorkerMetrics } from '../../worker/metrics.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { startSystem, type System, type SystemOptions } from '../support/system.ts';

export const MERCHANT_KEY = 'sk_test_demo';
export const OPERATOR_KEY = 'op_test_demo';
/** The key of another merchant, with all scopes. */
export const OTHER_KEY = 'sk_test_other';

export type Answer = { status: number; headers: Headers; body: any };
export type CallOptions = {
  key?: string | null;
  idempotencyKey?: string;
  headers?: Record<string, string>;
  /** Sent as it is. */
  raw?: string | Uint8Array<ArrayBuffer>;
};
export type Call = (request: string, body?: unknown, options?: CallOptions) => Promise<Answer>;

export type TestApi = {
  url: string;
  system: System;
  worker: RunningWorker;
  sealer: Sealer;
  deps: ApiDeps;
  /** `call('POST /v1/orders', {...})`; every answer is compared with the OpenAPI document. */
  call: Call;
  stop(): Promise<void>;
};

/** The whole system, real in every part; the simulator's notices reach this API, or the `publicUrl` that is given. */
export async function startApi(
  change: (deps: ApiDeps) => Partial<ApiDeps> = () => ({}),
  options: SystemOptions = {},
): Promise<TestApi> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const system = await startSystem({ publicUrl: url, ...options });
  const worker = await system.startWorker();
  await addOtherMerchant(system);
  const { sealer } = system;
  const saved = createSavedFeed(system.databaseUrl);
  const db = connect(system.databaseUrl);
  const base: ApiDeps = {
    db,
    gateway: system.gateway,
    notifiers: system.notifiers,
    allowLoopback: true,
    sealer,
    findProvider: system.findProvider,
    findMachines: system.findMachines,
    saved,
    publicUrl: url,
    temporalUi: { url: 'http://localhost:8233', namespace: 'default' },
    rateLimit: null,
    courseNotifySecret: 'course_demo_secret',
    now: Date.now,
    ready: () => Promise.resolve([{ name: 'database', ready: true }]),
    log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
    registry: new Registry(),
  };
  showWorkerMetrics(base.registry);
  const deps = { ...base, ...change(base) };
  const api = await runApi({ deps, host: '127.0.0.1', port, pages });
  return {
    url,
    system,
    worker,
    sealer,
    deps,
    call: callerOf(url, documentedBy(deps)),
    async stop() {
      await api.stop();
      await saved.stop();
      await db.destroy();
      await system.stop();
    },
  };
}

async function addOtherMerchant(system: System): Promise<void> {
  const settings = { four_eyes: true, on_delivery_failure: null, methods: [] };
  await putMerchant(system.db, { id: 'other', name: 'Other Shop', settings });
  await putKey(system.db, {
    id: 'key_other',
    merchant: 'other',
    key: OTHER_KEY,
    kind: 'api',
    name: 'Other Shop',
    scopes: [...SCOPES],
  });
}

export async function addKey(system: System, key: string, scopes: Scope[]): Promise<string> {
  await putKey(system.db, { id: `key_${key}`, merchant: 'demo', key, kind: 'api', name: key, scopes });
  return key;
}

type Documented = (method: string, path: string, answer: Answer) => void;

/** Another API on the same database and Temporal, without a port: with other parts, as another process has them. */
export function anotherApi(api: TestApi, change: Partial<ApiDeps> = {}, stopping?: AbortSignal): Call {
  const deps = { ...api.deps, registry: new Registry(), ...change };
  const app = createApp(deps, stopping && { stopping, background: new Set() });
  return callerOf('http://localhost', documentedBy(deps), async (url, init) => app.request(url, init));
}

function callerOf(
  url: string,
  check: Documented,
  send: (url: string, init: RequestInit) => Promise<Response> = fetch,
): Call {
  return async (request, body, { key = MERCHANT_KEY, idempotencyKey, headers = {}, raw } = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await send(url + path, {
      method,
      headers: {
        ...(content !== undefined && { 'content-type': 'application/json' }),
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        ...headers,
      },
      ...(content !== undefined && { body: content }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const answer = { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    check(method, path.split('?')[0]!, answer);
    return answer;
  };
}

type Responses = Record<string, { content?: Record<string, { schema?: unknown }> }>;

/** Every answer has to be one that the document knows: its status, its form, and no field more. */
export function documentedBy(deps: ApiDeps): Documented {
  const app = createApp({ ...deps, registry: new Registry() });
  const routes = app.openAPIRegistry.definitions.flatMap((one) => (one.type === 'route' ? [one.route] : []));
  return (method, path, { status, headers, body }) => {
    const route = routes.find(
      (one) =>
        one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );
    if (!route || status === 405) return;
    const response = (route.responses as Responses)[status];
    expect(response, `${method} ${route.path} answers ${status}: ${JSON.stringify(body)}`).toBeDefined();
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const schema = response?.content?.[type]?.schema as z.ZodType | undefined;
    if (schema && 'parse' in schema) expect(schema.parse(body)).toEqual(body);
  };
}

/** Creates an order, opens an attempt, has the buyer pay, and waits until the order knows. */
export async function paidOrder({ call, system }: TestApi, more: Record<string, unknown>): Promise<any> {
  const { body, status } = await call('POST /v1/orders', tea(more));
  expect([status, body.code]).toEqual([201, undefined]);
  const payment = await call(`POST /v1/orders/${body.id}/payments`, { method: 'wechatpay.native' });
  await control(system, payment.body.out_trade_no, { action: 'pay' });
  return until(
    async () => (await call(`GET /v1/orders/${body.id}`)).body,
    ({ paid_at }) => paid_at !== null,
  );
}

/** How a machine of the simulator behaves from now on, or what it has done (no `mode`). */
export async function machine({ system }: TestApi, machineNo: string, mode?: Record<string, unknown>): Promise<any> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(mode) };
  const answer = await fetch(`${system.simulator.url}/_control/machines/${machineNo}`, mode ? post : {});
  expect(answer.status).toBe(200);
  return answer.json();
}

let orders = 0;
/** What creating an order needs at least. */
export const tea = <More extends Record<string, unknown>>(more: More = {} as More) => ({
  merchant_order_no: `T-${process.pid}-${orders++}`,
  currency: 'CNY',
  items: [{ sku: 'tea-01', name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' }],
  ...more,
});
