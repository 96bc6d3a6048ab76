import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Temporal's own messages go where ours go. Once per process, before anything of Temporal's worker is used. */
export function logTo(log: Logger): void {
  const write = ({ level, message, meta }: LogEntry) => log[LEVELS[level]]({ temporal: meta }, message);
  Runtime.install({ logger: new DefaultLogger('INFO', write), telemetryOptions: { logging: { forward: {} } } });
}
