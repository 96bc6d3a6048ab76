/**
 * Processes that we start and end: each in a group of its own, so that a Ctrl-C in the terminal reaches us and not
 * them, and each with a pid file, so that what a killed run left behind is found and ended by the next one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { goOn, StartError, type Progress } from './failure.ts';
import { identify, isRunning, signalProcess, type ProcessIdentity } from './identity.ts';
import { openLogFile } from './log-file.ts';

/** How a process is asked to end: `gentle` first, `force` (to its whole group) after `patienceMs`, then SIGKILL. */
export type Ending = { gentle: NodeJS.Signals; force: NodeJS.Signals; patienceMs: number };

export type ChildSpec = {
  /** What it is called in messages; also the name of its pid file. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The folder for its pid file. */
  runDir: string;
  /** The file that takes what it prints. */
  logFile: string;
  ending: Ending;
};

export type Child = {
  readonly pid: number;
  /** Settles when the process has ended: how, in words ("exit code 1"). Never rejects. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** Ends it as its spec says; returns once it is gone. May be called again. */
  stop(): Promise<void>;
  /** With -9, in the midst of whatever it does; returns once it is gone. */
  kill(): Promise<void>;
};

type PidFile = ProcessIdentity & { name: string; ending: Ending };

const AFTER_FORCE_MS = 2_000;
const POLL_MS = 50;
const alive = new Map<ChildProcess, ChildSpec>();

/**
 * Starts a child process.
 * @throws StartError when the command can't be run.
 */
export async function spawnChild(spec: ChildSpec): Promise<Child> {
  const output = openLogFile(spec.logFile);
  const child = spawn(spec.command, spec.args, {
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    env: spec.env,
    cwd: spec.cwd,
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.gid !== undefined && { gid: spec.gid }),
  });
  output.close();
  if (child.pid === undefined) return cannotRun(child, spec);
  return watch(child, child.pid, spec);
}

/**
 * Runs a command to its end, or ends it when `signal` says so.
 * @returns how it ended, in words.
 * @throws StartError when it can't be run; StoppedEarly.
 */
export async function runChild(spec: ChildSpec, signal?: AbortSignal): Promise<string> {
  goOn(signal);
  const child = await spawnChild(spec);
  const stop = () => void child.stop();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop(); // In the moment before we listened.
  const outcome = await child.exited;
  signal?.removeEventListener('abort', stop);
  goOn(signal);
  return outcome;
}

async function cannotRun(child: ChildProcess, spec: ChildSpec): Promise<never> {
  const [error] = (await once(child, 'error')) as [Error];
  throw new StartError(`${spec.name}: ${spec.command} can't be run (${error.message})`);
}

function watch(child: ChildProcess, pid: number, spec: ChildSpec): Child {
  const pidFile = writePidFile(pid, spec);
  let ended = false;
  remember(child, spec);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      alive.delete(child);
      rmSync(pidFile, { force: true });
      resolve(signal ? `signal ${signal}` : `exit code ${code}`);
    });
  });
  const hasExited = () => ended;
  const kill = async () => {
    if (!ended) signalProcess(-pid, 'SIGKILL');
    await exited;
  };
  return { pid, exited, hasExited, stop: () => end(pid, spec.ending, hasExited), kill };
}

/** Asks, then forces. Waits by looking, so that it serves for processes of an earlier run too. */
async function end(pid: number, ending: Ending, isGone: () => boolean): Promise<void> {
  const steps = [
    { to: pid, signal: ending.gentle, waitMs: ending.patienceMs },
    { to: -pid, signal: ending.force, waitMs: AFTER_FORCE_MS },
    { to: -pid, signal: 'SIGKILL' as const, waitMs: AFTER_FORCE_MS },
  ];
  for (const { to, signal, waitMs } of steps) {
    if (isGone()) return;
    signalProcess(to, signal);
    for (const until = Date.now() + waitMs; !isGone() && Date.now() < until;) await sleep(POLL_MS);
  }
}

/** Ends all children at once and without waiting: for a second Ctrl-C. */
export function forceChildren(): void {
  for (const [child, { ending }] of alive) if (child.pid) signalProcess(-child.pid, ending.force);
}

/** Should we exit without having stopped a child, it is at least asked to end. */
function remember(child: ChildProcess, spec: ChildSpec): void {
  if (alive.size === 0 && !process.listeners('exit').includes(askChildren)) process.on('exit', askChildren);
  alive.set(child, spec);
}

function askChildren(): void {
  for (const [child, { ending }] of alive) if (child.pid) signalProcess(child.pid, ending.gentle);
}

/** Written at once after the fork, without a pause in which we could be killed and forget the child. */
function writePidFile(pid: number, { name, ending, runDir }: ChildSpec): string {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const file = join(runDir, `${name}.pid`);
  const identity = identify(pid);
  if (identity) writeFileSync(file, JSON.stringify({ ...identity, name, ending } satisfies PidFile), { mode: 0o600 });
  return file;
}

/** Ends the children that a killed run left behind, as its pid files in `runDir` tell. */
export async function endLeftChildren(runDir: string, progress: Progress): Promise<void> {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const files = readdirSync(runDir).filter((name) => name.endsWith('.pid'));
  await Promise.all(files.map((name) => endLeftChild(join(runDir, name), progress)));
}

async function endLeftChild(file: string, progress: Progress): Promise<void> {
  const left = readPidFile(file);
  if (left && isRunning(left)) {
    progress(`Ending ${left.name} (process ${left.pid}), left behind by a run that was killed`);
    await end(left.pid, left.ending, () => !isRunning(left));
  }
  rmSync(file, { force: true });
}

/** A file cut short by a crash names no process, so there is none to end. */
function readPidFile(file: string): PidFile | null {
  try {
    const left = JSON.parse(readFileSync(file, 'utf8')) as PidFile;
    return Number.isInteger(left.pid) && left.pid > 1 && left.ending ? left : null;
  } catch {
    return null;
  }
}
