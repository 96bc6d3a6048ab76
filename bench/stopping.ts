import { StoppedEarly } from '../start/failure.ts';

/** @returns a promise that is rejected with StoppedEarly as soon as `signal` says so, and never resolves */
export function stoppedBy(signal: AbortSignal): Promise<never> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new StoppedEarly('stopped'));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  stopped.catch(() => {});
  return stopped;
}
