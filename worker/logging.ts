import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

export type TemporalRuntime = {
  log: Logger;
  /** Where the SDK shows its metrics to this process: host and port, on this machine only. */
  metricsAddress: string;
};

/**
 * Temporal's own messages go where ours go, and its metrics are counted. Once per process, before anything of Temporal's
 * worker is used.
 * @returns what reads its metrics, in Prometheus' text form
 */
export function installRuntime({ log, metricsAddress }: TemporalRuntime): () => Promise<string> {
  const write = ({ level, message, meta }: LogEntry) => log[LEVELS[level]](fieldsOf(meta), message);
  const prometheus = {
    bindAddress: metricsAddress,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
  };
  Runtime.install({
    logger: new DefaultLogger('INFO', write),
    telemetryOptions: { logging: { forward: {} }, metrics: { prometheus, attachServiceName: false } },
  });
  return async () => {
    const answer = await fetch(`http://${metricsAddress}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.text();
  };
}

const ANSWER_MS = 1_000;

/** Order, merchant, trace and error by the names that they have in all our lines. */
export function fieldsOf(meta: LogEntry['meta']): Record<string, unknown> {
  const { merchant, trace, error, ...rest } = meta ?? {};
  const order = /^order\/(.+)$/.exec(String(rest['workflowId'] ?? ''))?.[1];
  const fields = { order, merchant, trace };
  if (error instanceof Error) return { ...fields, err: error, temporal: rest };
  return { ...fields, temporal: error === undefined ? rest : { ...rest, error } };
}
