import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import { PROBLEMS } from '../../api/problem.ts';
import { runApi } from '../../api/server.ts';
import { createLog } from '../../start/log.ts';
import { freePort } from '../../start/ports.ts';
import { anotherApi, MERCHANT_KEY, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

describe('health', () => {
  it('is up, ready or not, and measured', async () => {
    expect(await api.call('GET /healthz', undefined, { key: null })).toMatchObject({
      status: 200,
      body: { status: 'up' },
    });
    expect((await api.call('GET /readyz', undefined, { key: null })).body).toEqual({
      status: 'ready',
      parts: { database: { ready: true, detail: null } },
    });
    const ready = async () => [{ name: 'worker', ready: false, detail: 'nobody polls' }];
    const not = await anotherApi(api, { ready })('GET /readyz', undefined, { key: null });
    expect(not).toMatchObject({ status: 503, body: { status: 'not_ready', parts: { worker: { ready: false } } } });
    const failing = await anotherApi(api, { ready: () => Promise.reject(new Error('x')) })('GET /readyz');
    expect(failing.status).toBe(503);
    await api.call('POST /v1/orders', tea());
    const { body, headers } = await api.call('GET /metrics', undefined, { key: null });
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(body).toMatch(/^orders_in_attention 0$/m);
    expect(body).toMatch(
      /orders_http_request_duration_seconds_count\{method="POST",route="\/v1\/orders",status="201"\} 1/,
    );
  });
});

describe('the document', () => {
  type Operation = {
    operationId?: string;
    summary?: string;
    description?: string;
    responses: Record<string, { description?: string }>;
    security?: unknown[];
  };
  const document = async () => (await api.call('GET /openapi.json', undefined, { key: null })).body;

  it('is OpenAPI 3.1 with every call of ours', async () => {
    const { openapi, paths, components } = await document();
    expect(openapi).toBe('3.1.0');
    const calls = Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, operation })),
    );
    expect(calls.map(({ call }) => call).toSorted()).toMatchInlineSnapshot(`
      [
        "DELETE /v1/orders/{id}/personal-data",
        "DELETE /v1/webhook-endpoints/{id}",
        "GET /healthz",
        "GET /metrics",
        "GET /order/alipay",
        "GET /order/create",
        "GET /order/get",
        "GET /order/list",
        "GET /order/sum",
        "GET /orders/wxpay",
        "GET /readyz",
        "GET /v1/findings",
        "GET /v1/me",
        "GET /v1/notifications",
        "GET /v1/orders",
        "GET /v1/orders/{id}",
        "GET /v1/orders/{id}/events",
        "GET /v1/orders/{id}/payments/{payment_id}",
        "GET /v1/orders/{id}/refunds/{refund_id}",
        "GET /v1/payment-methods",
        "GET /v1/refunds",
        "GET /v1/statistics",
        "GET /v1/webhook-endpoints",
        "POST /admin/rollups/run",
        "POST /api/openapi/v1/orders",
        "POST /api/openapi/v1/orders/{order_id}",
        "POST /order/alipay",
        "POST /order/create",
        "POST /order/get",
        "POST /order/list",
        "POST /order/sum",
        "POST /orders/wxpay",
        "POST /v1/machines/{machine_no}/pickup",
        "POST /v1/notifications/resend",
        "POST /v1/notifications/{id}/resend",
        "POST /v1/orders",
        "POST /v1/orders/{id}/cancel",
        "POST /v1/orders/{id}/confirm",
        "POST /v1/orders/{id}/items/{item_id}/delivery",
        "POST /v1/orders/{id}/items/{item_id}/redeliver",
        "POST /v1/orders/{id}/payments",
        "POST /v1/orders/{id}/payments/{payment_id}/resolve",
        "POST /v1/orders/{id}/receipt",
        "POST /v1/orders/{id}/refunds",
        "POST /v1/orders/{id}/refunds/{refund_id}/approve",
        "POST /v1/orders/{id}/refunds/{refund_id}/reject",
        "POST /v1/orders/{id}/retry",
        "POST /v1/orders/{id}/review",
        "POST /v1/webhook-endpoints",
        "POST /v1/webhook-endpoints/{id}/enable",
        "POST /v1/webhook-endpoints/{id}/rotate-secret",
        "POST /webhooks/machines/{merchant}",
        "POST /webhooks/{provider}/{merchant}",
      ]
    `);
    const ids = calls.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(calls.length);
    for (const { call, operation } of calls) {
      expect(operation.summary, call).toBeTruthy();
      if (call.includes(' /v1/')) expect(operation.security, call).toBeTruthy();
      if (call.includes(' /v1/'))
        expect(Object.keys(operation.responses), call).toEqual(
          expect.arrayContaining(['401', '403', '429', '500', '503']),
        );
    }
    const text = JSON.stringify(paths);
    for (const [, reference] of text.matchAll(/"\$ref":"#\/components\/(\w+\/\w+)"/g)) {
      const [kind, name] = reference!.split('/') as [string, string];
      expect(components[kind][name], reference).toBeDefined();
    }
    for (const code of Object.keys(PROBLEMS))
      if (!['method_not_allowed'].includes(code)) expect(text, code).toContain(`\`${code}\``);
    expect(components.schemas.NewOrder.additionalProperties).toBe(false);
    expect(components.schemas.NewOrder.properties.items.maxItems).toBe(1000);
  });

  it('is shown to people, with nothing from elsewhere', async () => {
    const page = await api.call('GET /docs', undefined, { key: null });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(page.body).not.toMatch(/https?:\/\//);
    for (const [, file] of (page.body as string).matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await api.call(`GET ${file}`, undefined, { key: null })).status, file).toBe(200);
    expect((await api.call('GET /docs/package.json', undefined, { key: null })).status).toBe(404);
    expect((await api.call('GET /docs/..%2Fpackage.json', undefined, { key: null })).status).toBe(404);
  });
});

describe('the rate', () => {
  it('is limited per caller where it is wanted', async () => {
    const call = anotherApi(api, { rateLimit: { perMinute: 3 } });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await call('GET /v1/orders?limit=1'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[3]?.body.code).toBe('rate_limited');
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('GET /v1/orders?limit=1', undefined, { key: 'op_test_demo' })).status).toBe(200);
    expect((await call('GET /healthz')).status).toBe(200);
  });
});

describe('a failure of ours', () => {
  it('tells nobody anything, but the log with the request’s id', async () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => void lines.push(line) });
    const gateway = { ...api.deps.gateway, live: () => Promise.reject(new Error('the inside')) };
    const call = anotherApi(api, { log, gateway });
    const { body } = await call('POST /v1/orders', tea({ delivery: { phone: '13800138000' } }));
    const headers = { 'x-request-id': 'r-1', traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` };
    const answer = await call(`GET /v1/orders/${body.id}?live=true`, undefined, { headers });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer.body)).not.toContain('inside');
    const failed = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'a request failed');
    expect(failed).toMatchObject({ request: 'r-1', trace: 'ab'.repeat(16), err: { message: 'the inside' } });
    const told = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    expect(told[0].trace).toMatch(/^[\da-f]{32}$/);
    expect(told[1]).toMatchObject({
      request: 'r-1',
      trace: 'ab'.repeat(16),
      order: body.id,
      method: 'GET',
      route: '/v1/orders/:id',
      status: 500,
      merchant: 'demo',
    });
    expect(lines.join('')).not.toMatch(/13800138000|sk_test_demo/);
  });

  it('of Temporal is 503, and when to come again', async () => {
    const away = Object.assign(new Error('away'), { code: 14, details: 'x', metadata: {} });
    const gateway = { ...api.deps.gateway, ask: () => Promise.reject(away), start: () => Promise.reject(away) };
    const call = anotherApi(api, { gateway });
    const { body, status } = await call('POST /v1/orders', tea({ confirm: false }));
    expect(status).toBe(201);
    const answer = await call(`POST /v1/orders/${body.id}/confirm`);
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('2');
  });
});

describe('the server', () => {
  it('ends streams, finishes requests and stops', async () => {
    const port = await freePort();
    const server = await runApi({ deps: { ...api.deps, registry: new Registry() }, host: '127.0.0.1', port });
    expect(server.url).toBe(`http://127.0.0.1:${port}`);
    const { body } = await api.call('POST /v1/orders', tea());
    const headers = { authorization: `Bearer ${MERCHANT_KEY}`, accept: 'text/event-stream' };
    const stream = await fetch(`${server.url}/v1/orders/${body.id}/events`, { headers });
    const text = stream.text();
    const began = Date.now();
    await server.stop();
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(await text).toContain('event: order.created');
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  it('says so where its port is taken', async () => {
    const port = Number(new URL(api.url).port);
    const starting = runApi({ deps: { ...api.deps, registry: new Registry() }, host: '127.0.0.1', port });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

it('an app needs no port', async () => {
  const app = createApp({ ...api.deps, registry: new Registry() });
  const response = await app.request('/v1/orders', { headers: { authorization: `Bearer ${MERCHANT_KEY}` } });
  expect(response.status).toBe(200);
});
