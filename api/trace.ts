import { randomBytes } from 'node:crypto';
import {
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
} from '@opentelemetry/api';
import type { Context } from 'hono';
import { tracer } from '../client/tracing.ts';
import type { ApiEnv } from './env.ts';

/** Asked every few seconds by machines: no spans, and no lines in the log. */
export const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Runs a request within a span, which goes on with the caller's trace where it names one (`traceparent`). What is told of
 * it is its route, never its path, query or body: those hold tokens and codes.
 * @param run is given the trace's id: the span's, or without traces the caller's, or a new one, so that all log lines of
 * a request can be found
 */
export async function traced(c: Context<ApiEnv>, run: (trace: string) => Promise<Told>): Promise<void> {
  const traceparent = c.req.header('traceparent');
  if (QUIET.has(c.req.path)) return void (await run(idOf(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), traceparent)));
  const parent = propagation.extract(context.active(), { traceparent });
  const { method } = c.req;
  await tracer.startActiveSpan(method, { kind: SpanKind.SERVER }, parent, async (span) => {
    try {
      tell(span, method, await run(idOf(span, traceparent)));
    } finally {
      span.end();
    }
  });
}

/** What became of a request. */
export type Told = { route: string; status: number; merchant: string | undefined; order: string | undefined };

function tell(span: Span, method: string, { route, status, merchant, order }: Told): void {
  span.updateName(`${method} ${route}`);
  span.setAttributes({ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status });
  if (merchant !== undefined) span.setAttribute('orders.merchant', merchant);
  if (order !== undefined) span.setAttribute('orders.order', order);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
}

function idOf(span: Span, traceparent: string | undefined): string {
  const own = span.spanContext();
  if (isSpanContextValid(own)) return own.traceId;
  const given = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent ?? '')?.[1];
  return given ?? randomBytes(16).toString('hex');
}
