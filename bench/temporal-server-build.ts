/** Temporal's full server and its schema tool, built with Go once and kept in our cache. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../start/cache.ts';
import { StartError, type Progress } from '../start/failure.ts';
import { lockFolder } from '../start/lock.ts';
import { readLogSince } from '../start/log-file.ts';
import { runChild } from '../start/processes.ts';

export type ServerPrograms = { server: string; sqlTool: string };
type BuildOptions = { progress: Progress; signal: AbortSignal };

/** The same server as in the development server that `npm start` uses: temporal 1.5.1 has it inside. */
const VERSION = '1.29.1';
const MODULE = 'go.temporal.io/server';
const CACHE_WAIT_MS = 20 * 60_000;
const TELL_EVERY_MS = 15_000;

/** @throws StartError where it can't be built */
export async function findTemporalServer(options: BuildOptions): Promise<ServerPrograms> {
  const cache = cacheFolder(process.env);
  const folder = join(cache, `temporal-server-${VERSION}-${process.platform}-${process.arch}`);
  if (!existsSync(folder)) {
    const unlock = await lockFolder(cache, { ...options, what: 'The cache', waitMs: CACHE_WAIT_MS });
    try {
      if (!existsSync(folder)) await buildInto(folder, cache, options);
    } finally {
      unlock();
    }
  }
  return { server: join(folder, 'temporal-server'), sqlTool: join(folder, 'temporal-sql-tool') };
}

/** Appears in the cache whole or not at all. What a killed build leaves there, `npm start` removes: it is named so. */
async function buildInto(folder: string, cache: string, options: BuildOptions): Promise<void> {
  const making = await mkdtemp(join(cache, 'making-'));
  try {
    const bin = join(making, 'bin');
    await mkdir(bin);
    await goInstall(making, bin, options);
    await rename(join(bin, 'server'), join(bin, 'temporal-server'));
    await rename(join(bin, 'sql'), join(bin, 'temporal-sql-tool'));
    await rename(bin, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

async function goInstall(making: string, bin: string, { progress, signal }: BuildOptions): Promise<void> {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  progress("Building Temporal's full server with Go (once; some minutes)");
  const ticking = setInterval(() => progress(`Still building (${seconds()} s)`), TELL_EVERY_MS);
  const packages = ['cmd/server', 'cmd/tools/sql'].map((path) => `${MODULE}/${path}@v${VERSION}`);
  const logFile = join(making, 'go.log');
  const outcome = await runChild(
    {
      name: 'go-install',
      command: 'go',
      args: ['install', '-ldflags', '-s -w', ...packages],
      env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0' }, // It needs no C, so no C compiler either.
      cwd: making, // Outside any module, whose go.mod would count.
      runDir: making,
      logFile,
      ending: { gentle: 'SIGINT', force: 'SIGKILL', patienceMs: 2_000 },
    },
    signal,
  ).finally(() => clearInterval(ticking));
  if (outcome === 'exit code 0') return progress(`Built in ${seconds()} s`);
  throw new StartError(`Temporal's full server can't be built (${outcome}): ${readLogSince(logFile, 0)}`);
}
