/** Where the `temporal` program comes from: PATH, our cache, a download, or built with Go. The first that works. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache.ts';
import { goOn, messageOf, StartError, type Progress } from './failure.ts';
import { lockFolder } from './lock.ts';
import { endLeftChildren } from './processes.ts';
import { buildTemporal } from './temporal-build.ts';
import { downloadTemporal } from './temporal-download.ts';

/** The version that we download or build. Later tags can't be installed with Go: their go.mod replaces modules. */
export const TEMPORAL_CLI_VERSION = '1.5.1';
const MAKING = 'making-';
/** What we rely on: summaries of activities and timers are dropped silently by older servers. */
const OLDEST_SERVER = [1, 29] as const;

export type FindOptions = { env: NodeJS.ProcessEnv; progress: Progress; signal?: AbortSignal | undefined };

/** Puts a `temporal` program into an empty folder and returns its path; throws with the reason when it can't. */
export type Maker = (folder: string, version: string, options: FindOptions) => Promise<string>;

type Makers = readonly { what: string; make: Maker }[];

const MAKERS: Makers = [
  { what: 'download', make: downloadTemporal },
  { what: 'go install', make: buildTemporal },
];

/**
 * The path of a `temporal` program that is recent enough.
 * @throws StartError that says what to install when there is none; StoppedEarly.
 */
export async function findTemporal(options: FindOptions, makers = MAKERS): Promise<string> {
  const onPath = await findOnPath(options);
  if (onPath) return onPath;
  const cache = cacheFolder(options.env);
  const cached = join(cache, `temporal-${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`);
  if (await isUsable(cached)) return cached;
  const unlock = await lockFolder(cache, { ...options, what: 'The cache', waitMs: 20 * 60_000 });
  try {
    // Whoever had the cache before us may have made it.
    if (await isUsable(cached)) return cached;
    await removeLeftovers(cache, options.progress);
    return await makeInto(cached, cache, options, makers);
  } finally {
    unlock();
  }
}

async function findOnPath({ env, progress }: FindOptions): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, 'temporal');
    if (!(await isExecutable(path))) continue;
    const problem = await problemOf(path);
    if (!problem) return path;
    progress(`Temporal: not using ${path}: ${problem}`);
  }
  return null;
}

/** A run that was killed may have left its folder, and a build that still goes on there. */
async function removeLeftovers(cache: string, progress: Progress): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(MAKING)) continue;
    await endLeftChildren(join(cache, name), progress);
    await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Tries one maker after the other, each in a folder of its own; what it made appears in the cache whole or not. */
async function makeInto(cached: string, cache: string, options: FindOptions, makers: Makers): Promise<string> {
  const reasons: string[] = [];
  for (const { what, make } of makers) {
    goOn(options.signal);
    const folder = await mkdtemp(join(cache, MAKING));
    try {
      const made = await make(folder, TEMPORAL_CLI_VERSION, options);
      const problem = await problemOf(made);
      if (problem) throw new Error(problem);
      await rename(made, cached);
      return cached;
    } catch (error) {
      goOn(options.signal);
      reasons.push(`${what}: ${messageOf(error)}`);
      options.progress(`Temporal: ${reasons.at(-1)}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new StartError(noTemporal(reasons));
}

function noTemporal(reasons: readonly string[]): string {
  return [
    'There is no Temporal server to start:',
    ...reasons.map((reason) => `  - ${reason}`),
    'Do one of these: install the Temporal CLI 1.5 or newer so that `temporal` is on PATH',
    '(https://docs.temporal.io/cli), install Go 1.24 or newer, or set TEMPORAL_ADDRESS to a server that runs.',
  ].join('\n');
}

async function isUsable(path: string): Promise<boolean> {
  return (await isExecutable(path)) && (await problemOf(path)) === null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Why this program won't do, or null: "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)". */
export async function problemOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    const [, major = 0, minor = 0] = (/Server (\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
    const isRecent = major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1]);
    return isRecent ? null : `it says "${stdout.trim()}", and server ${OLDEST_SERVER.join('.')} or newer is needed`;
  } catch (error) {
    return `it does not run (${messageOf(error).split('\n')[0]})`;
  }
}
