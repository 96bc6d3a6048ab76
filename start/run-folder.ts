/** Folders for runs that are over when they end: benchmarks, tests. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from './failure.ts';
import { isLocked, lockFolder } from './lock.ts';
import { endLeftChildren } from './processes.ts';

export type RunFolder = {
  path: string;
  /** Gives it back: others may remove it from now on. */
  release(): void;
  /** Gives it back, and removes it with all that is in it. */
  remove(): void;
};

/** Another run may have made its folder just now, and not locked it yet. Milliseconds. */
const YOUNG_MS = 10_000;

/**
 * Makes a folder of this process's own, after the ones of earlier runs that were killed, and the processes that these left.
 * @param prefix of its name, and of those that belong to runs of the same kind
 */
export async function openRunFolder(prefix: string, progress: Progress): Promise<RunFolder> {
  await removeLeftRuns(prefix, progress);
  const path = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(path, 0o711); // PostgreSQL's user must get through.
  const release = await lockFolder(path, { what: 'The folder of this run', waitMs: 0, progress });
  return {
    path,
    release,
    remove() {
      release();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** A run that was killed leaves its folder and perhaps its processes: its pid files tell which. */
async function removeLeftRuns(prefix: string, progress: Progress): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const folder = join(tmpdir(), name);
    const isYoung = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.birthtimeMs ?? 0) < YOUNG_MS;
    if (isYoung || isLocked(folder)) continue;
    await endLeftChildren(join(folder, 'run'), progress);
    rmSync(folder, { recursive: true, force: true });
  }
}
