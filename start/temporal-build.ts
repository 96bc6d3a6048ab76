import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readLogSince } from './log-file.ts';
import { runChild } from './processes.ts';
import type { Maker } from './temporal-binary.ts';

const TELL_EVERY_MS = 15_000;

/** Builds the program with Go, where there is one. Takes minutes, and says so. */
export const buildTemporal: Maker = async (folder, version, { env, progress, signal }) => {
  await findGo(env);
  const began = Date.now();
  progress('Temporal: building it with Go (once; 2 to 7 minutes on two cores)');
  const ticking = setInterval(() => progress(`Temporal: still building (${secondsSince(began)} s)`), TELL_EVERY_MS);
  const logFile = join(folder, 'go.log');
  const outcome = await runChild(
    {
      name: 'go-install',
      command: 'go',
      args: ['install', '-ldflags', '-s -w', `github.com/temporalio/cli/cmd/temporal@v${version}`],
      env: { ...env, GOBIN: folder, CGO_ENABLED: '0' }, // It needs no C, so no C compiler either.
      cwd: folder, // Outside any module, whose go.mod would count.
      runDir: folder,
      logFile,
      ending: { gentle: 'SIGINT', force: 'SIGKILL', patienceMs: 2_000 },
    },
    signal,
  ).finally(() => clearInterval(ticking));
  if (outcome !== 'exit code 0') throw new Error(`it failed (${outcome}): ${lastLine(readLogSince(logFile, 0))}`);
  progress(`Temporal: built in ${secondsSince(began)} s`);
  return join(folder, 'temporal');
};

async function findGo(env: NodeJS.ProcessEnv): Promise<void> {
  await promisify(execFile)('go', ['version'], { env }).catch(() => {
    throw new Error('there is no Go on PATH');
  });
}

function secondsSince(began: number): number {
  return Math.round((Date.now() - began) / 1000);
}

function lastLine(text: string): string {
  return text.split('\n').at(-1) ?? '';
}
