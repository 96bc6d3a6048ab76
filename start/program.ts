/** Programs that start servers of their own, do their work and end: benchmark, chaos. */
import { StartError, StoppedEarly } from './failure.ts';
import { forceChildren } from './processes.ts';

/** What a person typed can't be used; the message names it. */
export class UsageError extends Error {}

const SAME_CTRL_C_MS = 1_000;

/**
 * Runs it with the command line's arguments, and ends the process with the code that it answers; 1 where it fails, 2
 * where it was said wrongly, 130 after Ctrl-C.
 * @param work stops in order as soon as `signal` says so
 */
export async function runProgram(
  work: (args: readonly string[], signal: AbortSignal) => Promise<number>,
): Promise<never> {
  const stop = new AbortController();
  listenForSignals(stop);
  try {
    process.exit(await work(process.argv.slice(2), stop.signal));
  } catch (error) {
    if (error instanceof StoppedEarly || stop.signal.aborted) process.exit(130);
    const isPlain = error instanceof UsageError || error instanceof StartError;
    console.error(isPlain ? error.message : error);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** The first Ctrl-C stops in order, a second one at once. npm passes one on that the terminal sent us already. */
function listenForSignals(stop: AbortController): void {
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      first ||= Date.now();
      stop.abort();
      if (signal !== 'SIGINT' || Date.now() - first < SAME_CTRL_C_MS) return;
      forceChildren();
      process.exit(130);
    });
  }
}
