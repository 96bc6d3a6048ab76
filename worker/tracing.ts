import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import { trace } from '@opentelemetry/api';
import { contextOf, inSpan, tracer } from '../client/tracing.ts';
import { TRACE_HEADER } from '../workflows/messages.ts';
import type { TraceSinks } from '../workflows/tracing.ts';

/** The workflows' part of a trace: one span for each message that came with one. */
export const traceSinks: InjectedSinks<TraceSinks> = {
  trace: {
    handled: {
      fn({ workflowId, runId }, { name, cause, from, to }) {
        const parent = contextOf(cause);
        const attributes = { 'temporal.workflow_id': workflowId, 'temporal.run_id': runId };
        if (parent) tracer.startSpan(name, { startTime: from, attributes }, parent).end(to);
      },
      callDuringReplay: false,
    },
  },
};

/**
 * An activity within the trace of what caused it; without a cause it has none. What the SDK logs of it says of which
 * merchant, and in which trace.
 */
export const traceActivities: ActivityInterceptorsFactory = ({ info }) => {
  const about: { merchant?: string; trace?: string } = {};
  return {
    inbound: {
      execute(input, next) {
        const parent = contextOf(input.headers[TRACE_HEADER]);
        Object.assign(about, {
          merchant: merchantIn(input.args[0]),
          trace: parent && trace.getSpanContext(parent)?.traceId,
        });
        if (!parent) return next(input);
        const attributes = {
          'temporal.workflow_id': info.workflowExecution?.workflowId ?? '',
          'temporal.run_id': info.workflowExecution?.runId ?? '',
          'temporal.activity_id': info.activityId,
          'temporal.attempt': info.attempt,
        };
        return inSpan(`RunActivity:${info.activityType}`, { attributes }, parent, () => next(input));
      },
    },
    outbound: {
      getLogAttributes: (input, next) => next({ ...input, ...about }),
    },
  };
};

/** Calls name it; a save holds its order. */
function merchantIn(call: unknown): string | undefined {
  const { merchant, before } = (call ?? {}) as { merchant?: string; before?: { merchant?: string } };
  return merchant ?? before?.merchant;
}
