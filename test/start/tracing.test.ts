/** One trace from a request through Temporal to what was done, as a collector gets it by OTLP. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTracing } from '../../start/tracing.ts';
import { MERCHANT_KEY, startApi, tea, type TestApi } from '../api/support.ts';
import { control, until } from '../support/orders.ts';

/** What we look at of opentelemetry-proto's ExportTraceServiceRequest. */
const { root } = protobuf.parse(`syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start = 7; fixed64 end = 8; repeated KeyValue attributes = 9; Status status = 15; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; int64 int_value = 3; } }`);
const Request = root.lookupType('Request');

type Span = { name: string; trace: string; id: string; parent: string; attributes: Record<string, string> };
const spans: Span[] = [];
const services = new Set<string>();
let sent = Buffer.alloc(0);

type Attributes = { key: string; value: { stringValue?: string; intValue?: unknown } }[];
const plain = (attributes: Attributes = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue || String(value.intValue)]));

const collector = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  sent = Buffer.concat([sent, ...parts]);
  for (const { resource, scopeSpans } of (Request.decode(Buffer.concat(parts)) as any).resourceSpans) {
    services.add(plain(resource.attributes)['service.name']!);
    for (const span of scopeSpans.flatMap((scope: any) => scope.spans)) {
      const hex = (id: Uint8Array) => Buffer.from(id).toString('hex');
      const ids = { trace: hex(span.traceId), id: hex(span.spanId), parent: hex(span.parentSpanId) };
      spans.push({ name: span.name, ...ids, attributes: plain(span.attributes) });
    }
  }
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
});

const lines: { msg: string; trace?: string; order?: string }[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
let api: TestApi;
let endTracing: () => Promise<void>;
beforeAll(async () => {
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  vi.stubEnv('OTEL_SERVICE_NAME', 'shop-orders');
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  endTracing = await startTracing(process.env, log);
  api = await startApi(() => ({ log }));
});
afterAll(async () => {
  await api.stop();
  await endTracing();
  collector.close();
  vi.unstubAllEnvs();
});

const [TRACE, CALLER] = ['c0ffee00c0ffee00c0ffee00c0ffee00', 'decafbaddecafbad'];
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

const SECRETS = { name: 'Ada Lovelace', phone: '13800138000', address: '12 Privet Drive', email: 'ada@example.com' };
const named = (name: string, trace: string) => spans.find((span) => span.name === name && span.trace === trace);
const seen = (name: string, trace: string) => until(async () => named(name, trace), Boolean) as Promise<Span>;

it('is one trace from a request to what was done for it, which the log names too, and holds nothing personal', async () => {
  const { email, ...delivery } = SECRETS;
  const items = [{ name: 'Green tea', quantity: 1, amount: 1500, fulfilment: 'pickup' }];
  const { body: order } = await api.call('POST /v1/orders', tea({ items, delivery, customer: { id: 'u-1', email } }));
  const pay = `POST /v1/orders/${order.id}/payments`;
  const { body: payment } = await api.call(
    pay,
    { method: 'wechatpay.native' },
    { headers: { traceparent: TRACEPARENT } },
  );

  const request = await seen('POST /v1/orders/:id/payments', TRACE);
  const attributes = { 'orders.order': order.id, 'orders.merchant': 'demo', 'http.response.status_code': '201' };
  expect(request).toMatchObject({ parent: CALLER, attributes });
  const call = await seen('UpdateWithStartWorkflow:openPayment', TRACE);
  expect(call).toMatchObject({ parent: request.id, attributes: { 'temporal.workflow_id': `order/${order.id}` } });
  for (const name of ['HandleUpdate:openPayment', 'RunActivity:openAttempt', 'RunActivity:saveOrder'])
    expect(await seen(name, TRACE), name).toMatchObject({ parent: call.id });
  const opened = { parent: named('RunActivity:openAttempt', TRACE)!.id, attributes: { 'orders.outcome': 'ok' } };
  expect(await seen('wechatpay open', TRACE)).toMatchObject(opened);
  expect(lines.find(({ trace, msg }) => trace === TRACE && msg === 'request')).toMatchObject({ order: order.id });

  await control(api.system, payment.out_trade_no, { action: 'pay' });
  const paid = await until(
    async () => (await api.call(`GET /v1/orders/${order.id}`)).body,
    ({ pickup_code }) => pickup_code !== null,
  );
  const page = new URL(order.checkout_url);
  expect((await fetch(page)).status).toBe(200);
  const { trace } = (await until(
    async () => spans.find((span) => span.name === 'POST /webhooks/:provider/:merchant'),
    Boolean,
  ))!;
  await seen('HandleSignal:paymentNotification', trace);
  await seen('RunActivity:saveOrder', trace);
  const line = await until(async () => lines.find((one) => one.trace === trace && one.msg === 'request'), Boolean);
  expect(line).toMatchObject({ order: order.id, merchant: 'demo' });
  expect([...services]).toEqual(['shop-orders']);
  const told = `${sent.toString('latin1')} ${JSON.stringify(lines)}`;
  expect(told).toContain(order.id);
  for (const secret of [...Object.values(SECRETS), paid.pickup_code, page.searchParams.get('token')!, MERCHANT_KEY])
    expect(told).not.toContain(secret);
});
