import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One run of one process. A process id alone is given again to others; together with the start time it isn't. */
export type ProcessIdentity = { pid: number; started: string };

/** When the process with this id began, in the system's own words; null when none runs (a zombie doesn't). */
export function startTimeOf(pid: number): string | null {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** The process that runs with this id now, or null. */
export function identify(pid: number): ProcessIdentity | null {
  const started = startTimeOf(pid);
  return started === null ? null : { pid, started };
}

/** Whether this very process still runs. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return startTimeOf(pid) === started;
}

/** Sends a signal; a process (or group, as `-pid`) that is gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** See proc(5): after the name, which may hold blanks and brackets, come the state and, 19 fields on, the start. */
function fromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  return state === 'Z' || state === 'X' || started === undefined ? null : started;
}

function fromPs(pid: number): string | null {
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  const [state, ...started] = (ps.stdout ?? '').trim().split(/\s+/);
  return ps.status !== 0 || !state || state.startsWith('Z') ? null : started.join(' ');
}
