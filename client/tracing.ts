import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { Span, SpanOptions } from '@opentelemetry/api';
import type { Headers, WorkflowClientInterceptor } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { TRACE_HEADER } from '../workflows/messages.ts';

/** Traces, where somebody takes them (start/tracing.ts): otherwise all of this does next to nothing. */
export const tracer = trace.getTracer('durable-orders');

/** Runs it within a span. Errors are told by their type only: messages may quote what nobody should read. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  parent: Context,
  run: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, options, parent, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      span.setAttribute('error.type', typeOf(error)).setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

function typeOf(error: unknown): string {
  if (error instanceof ApplicationFailure && error.type) return error.type;
  return error instanceof Error ? error.name : typeof error;
}

/** What goes with a message to a workflow. Empty where nobody takes traces, so that histories hold none. */
function headersOf(span: Span): Headers {
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace.setSpan(context.active(), span), carrier);
  const { traceparent } = carrier;
  return traceparent === undefined ? {} : { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

/** The trace that a message or an activity carried; undefined if none, or none that can be read. */
export function contextOf(carried: Payload | null | undefined): Context | undefined {
  if (!carried) return undefined;
  try {
    const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(carried);
    const found = propagation.extract(ROOT_CONTEXT, { traceparent });
    return trace.getSpanContext(found) && found;
  } catch {
    return undefined;
  }
}

/** @param send the call, with these headers more */
const calling = <T>(name: string, workflowId: string, send: (headers: Headers) => Promise<T>): Promise<T> =>
  inSpan(
    name,
    { kind: SpanKind.CLIENT, attributes: { 'temporal.workflow_id': workflowId } },
    context.active(),
    (span) => send(headersOf(span)),
  );

/** What is said to workflows carries the trace of whoever says it; a start that is delayed, until time alone begins it, none. */
export const traceCalls: WorkflowClientInterceptor = {
  start: (input, next) =>
    calling(`StartWorkflow:${input.workflowType}`, input.options.workflowId, (more) =>
      next(input.options.startDelay ? input : { ...input, headers: { ...input.headers, ...more } }),
    ),
  signalWithStart: (input, next) =>
    calling(`SignalWithStartWorkflow:${String(input.signalName)}`, input.options.workflowId, (more) =>
      next({ ...input, headers: { ...input.headers, ...more } }),
    ),
  startUpdateWithStart: (input, next) =>
    calling(`UpdateWithStartWorkflow:${input.updateName}`, input.workflowStartOptions.workflowId, (more) =>
      next({
        ...input,
        workflowStartHeaders: { ...input.workflowStartHeaders, ...more },
        updateHeaders: { ...input.updateHeaders, ...more },
      }),
    ),
};
