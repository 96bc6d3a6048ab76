import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { goOn, StartError, type Progress } from './failure.ts';
import { identify, isRunning, type ProcessIdentity } from './identity.ts';

export type LockOptions = {
  /** What to call the folder in messages: "The data folder". */
  what: string;
  waitMs: number;
  progress: Progress;
  signal?: AbortSignal | undefined;
};

const POLL_MS = 200;
const BREAKING_MS = 5_000;

/**
 * Takes a folder for this process alone; waits while another one has it. A lock whose process is gone is broken.
 * @returns gives the folder back.
 * @throws StartError that names the process which still has it after `waitMs`.
 */
export async function lockFolder(folder: string, options: LockOptions): Promise<() => void> {
  const file = join(folder, 'lock');
  const until = Date.now() + options.waitMs;
  for (let told = false; !take(file); told = true) {
    goOn(options.signal);
    const holder = readHolder(file);
    if (holder === null || !isRunning(holder)) breakLock(file);
    else if (Date.now() > until) throw new StartError(complaint(folder, options, holder));
    else if (!told) options.progress(`${options.what} is in use by process ${holder.pid}: waiting for it to end`);
    await sleep(POLL_MS);
  }
  return () => rmSync(file, { force: true });
}

/** Whether a process that still runs has this folder. */
export function isLocked(folder: string): boolean {
  const holder = readHolder(join(folder, 'lock'));
  return holder !== null && isRunning(holder);
}

/** A link appears at once and with its content, or not at all. */
function take(file: string): boolean {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function readHolder(file: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}

/** Two may find the same dead lock: only the one that makes this folder removes it, and looks again before. */
function breakLock(file: string): void {
  const guard = `${file}.breaking`;
  if (!makeFolder(guard)) return;
  const holder = readHolder(file);
  if (holder === null || !isRunning(holder)) rmSync(file, { force: true });
  rmdirSync(guard);
}

function makeFolder(folder: string): boolean {
  const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > BREAKING_MS) rmSync(folder, { recursive: true, force: true }); // Its maker was killed in between.
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function complaint(folder: string, { what, waitMs }: LockOptions, { pid }: ProcessIdentity): string {
  return `${what} ${folder} is still in use by process ${pid} after ${Math.round(waitMs / 1000)} s. End that process first, or choose another folder.`;
}
