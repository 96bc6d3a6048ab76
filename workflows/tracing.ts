import { proxySinks, type Headers, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import type { Payload } from '@temporalio/common';
import { TRACE_HEADER } from './messages.ts';

/** `from`, `to`: epoch milliseconds. `cause`: what the message carried. */
export type HandledMessage = { name: string; cause: Payload; from: number; to: number };
export interface TraceSinks extends Sinks {
  trace: { handled(message: HandledMessage): void };
}

/**
 * Passes the trace of whoever spoke to the workflow last on to the activities that follow from it: handlers only record,
 * so what they cause is begun by the loop. What time alone brings about has no cause. Nothing here awaits, draws a random
 * number or makes a command: with and without traces, a history is the same and replays the same (ADR 0023).
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const { trace } = proxySinks<TraceSinks>();
  let cause: Payload | undefined;

  const heard = <T>(name: string, headers: Headers, handle: () => Promise<T>): Promise<T> => {
    const carried = (cause = headers[TRACE_HEADER]);
    const from = Date.now();
    const handling = handle();
    if (carried) {
      const told = () => trace.handled({ name, cause: carried, from, to: Date.now() });
      handling.then(told, told);
    }
    return handling;
  };
  const withCause = <Input extends { headers: Headers }>(input: Input): Input =>
    cause ? { ...input, headers: { ...input.headers, [TRACE_HEADER]: cause } } : input;

  return {
    inbound: [
      {
        execute(input, next) {
          cause = input.headers[TRACE_HEADER];
          return next(input);
        },
        handleSignal: (input, next) => heard(`HandleSignal:${input.signalName}`, input.headers, () => next(input)),
        handleUpdate: (input, next) => heard(`HandleUpdate:${input.name}`, input.headers, () => next(input)),
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withCause(input)),
        scheduleLocalActivity: (input, next) => next(withCause(input)),
      },
    ],
    internals: [
      {
        activate(input, next) {
          const jobs = input.activation.jobs ?? [];
          if (jobs.some((job) => job.fireTimer) && !jobs.some((job) => job.signalWorkflow ?? job.doUpdate))
            cause = undefined;
          next(input);
        },
      },
    ],
  };
};
