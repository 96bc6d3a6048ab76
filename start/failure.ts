/** A start that can't go on, with a message for the person who started it. It needs no stack. */
export class StartError extends Error {
  override name = 'StartError';
}

/** The start was called off (Ctrl-C, SIGTERM) before it was done. */
export class StoppedEarly extends Error {
  override name = 'StoppedEarly';
}

/** @throws StoppedEarly when `signal` says that nothing more should be started. */
export function goOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StoppedEarly('stopped during start-up');
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tells a person, in one short line, what is being done. */
export type Progress = (text: string) => void;
