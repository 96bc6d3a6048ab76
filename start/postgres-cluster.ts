/** PostgreSQL's data folder: making it, and freeing it from what a crash left. */
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError, type Progress } from './failure.ts';
import { identify, isRunning, signalProcess } from './identity.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import type { PostgresUser } from './postgres-user.ts';
import { readLogSince, sizeOf } from './log-file.ts';
import { runChild, type ChildSpec } from './processes.ts';

export const SUPERUSER = 'postgres';
export const ROLE = 'orders';

export type Cluster = {
  folder: string;
  binaries: PostgresBinaries;
  user: PostgresUser;
  password: string;
  durable: boolean;
};

/** Where what PostgreSQL's programs print goes, and their pid files. */
export type Places = Pick<ChildSpec, 'runDir' | 'logFile'>;

/**
 * Makes the data in `draft` (an empty folder that belongs to the cluster's user) and renames it when it is complete,
 * so that a start which was cut short leaves no half-made database.
 * @throws StartError with what initdb said; StoppedEarly.
 */
export async function initialiseCluster(cluster: Cluster, draft: string, places: Places, signal?: AbortSignal) {
  const passwordFile = `${draft}.password`; // A copy, as initdb runs as a user who can't read ours.
  writeFileSync(passwordFile, cluster.password, { mode: 0o600 });
  const { uid, gid } = cluster.user;
  if (uid !== undefined && gid !== undefined) chownSync(passwordFile, uid, gid);
  const logged = sizeOf(places.logFile);
  const outcome = await runChild({ ...initdb(cluster, draft, passwordFile), ...places }, signal).finally(() =>
    rmSync(passwordFile, { force: true }),
  );
  if (outcome !== 'exit code 0') {
    throw new StartError(`PostgreSQL's initdb failed (${outcome}):\n${readLogSince(places.logFile, logged)}`);
  }
  renameSync(draft, cluster.folder);
}

/** The built-in locale sorts alike on every machine, whatever locales it has. */
function initdb({ binaries, user, durable }: Cluster, draft: string, passwordFile: string) {
  const args = [
    `--pgdata=${draft}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  return {
    ...user.wrap(binaries.initdb, args),
    name: 'initdb',
    env: postgresEnvironment(),
    cwd: '/', // Ours may be a folder that its user can't enter.
    ending: { gentle: 'SIGINT', force: 'SIGKILL', patienceMs: 5_000 } as const,
  };
}

/** Nothing of ours: a PGDATA or PGPORT would change what is started. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C' };
}

/**
 * Frees the folder from the server named in postmaster.pid: ends it if it is one (its pid file was not written yet
 * when we were killed), and removes the file if that process is quite another, which PostgreSQL can't tell.
 */
export async function releaseCluster(folder: string, progress: Progress): Promise<void> {
  const file = join(folder, 'postmaster.pid');
  const pid = existsSync(file) ? parseInt(readFileSync(file, 'utf8'), 10) : NaN;
  const left = pid > 1 ? identify(pid) : null;
  if (!left) return;
  if (!worksIn(pid, folder)) return rmSync(file, { force: true });
  progress(`Ending PostgreSQL (process ${pid}), left behind by a run that was killed`);
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (isRunning(left)) signalProcess(pid, signal);
    for (let waited = 0; waited < 5_000 && isRunning(left); waited += 50) await sleep(50);
  }
}

/** A PostgreSQL server works in its data folder, which its command names too. */
function worksIn(pid: number, folder: string): boolean {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.includes(`-D ${folder}`);
  }
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
  } catch {
    return false;
  }
}
