/** CPU time of processes, as the system counts it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export const PARTS = ['API and worker', 'Temporal', 'PostgreSQL'] as const;
type Part = (typeof PARTS)[number];
/** User and system time in milliseconds. */
export type CpuTimes = Record<Part, number>;

type Process = { pid: number; parent: number; program: string; ms: number };

/** Clock ticks are hundredths of a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** What everything that this process has started has used so far: children, their children, and those that ended. */
export function cpuOfChildren(): CpuTimes {
  const all = process.platform === 'linux' ? fromProc() : fromPs();
  const times: CpuTimes = { 'API and worker': 0, Temporal: 0, PostgreSQL: 0 };
  for (const { program, ms } of descendants(all, process.pid)) times[partOf(program)] += ms;
  return times;
}

function partOf(program: string): Part {
  if (program.startsWith('temporal')) return 'Temporal';
  return program.startsWith('postgres') ? 'PostgreSQL' : 'API and worker';
}

/** What this process itself has used. Milliseconds. */
export function cpuOfMyself(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param before read earlier @param count among how many orders it is divided */
export function cpuForEach(before: CpuTimes, after: CpuTimes, count: number): CpuTimes {
  const each = (part: Part) => (after[part] - before[part]) / count;
  return { 'API and worker': each('API and worker'), Temporal: each('Temporal'), PostgreSQL: each('PostgreSQL') };
}

export const totalOf = (times: CpuTimes): number => Object.values(times).reduce((sum, ms) => sum + ms, 0);

function descendants(all: readonly Process[], ancestor: number): Process[] {
  const children = all.filter(({ parent }) => parent === ancestor);
  return children.flatMap((child) => [child, ...descendants(all, child.pid)]);
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)));
}

/** See proc(5): fields 14 to 17 are user and system time, its own and that of children which have ended. */
function readStat(pid: number): Process[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const program = stat.slice(stat.indexOf('(') + 1, end);
    return [{ pid, parent: Number(fields[1]), program, ms: ticks * MS_PER_TICK }];
  } catch {
    return []; // It has just ended.
  }
}

function fromPs(): Process[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,time=,comm='], {
    encoding: 'utf8',
    env: { LC_ALL: 'C' },
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, time, program] = /^\s*(\d+)\s+(\d+)\s+([\d:.-]+)\s+(.+)$/.exec(line) ?? [];
    if (!pid || !parent || !time || !program) return [];
    return [{ pid: Number(pid), parent: Number(parent), program: program.split('/').at(-1)!.trim(), ms: msOf(time) }];
  });
}

/** "[days-][hours:]minutes:seconds[.hundredths]" */
function msOf(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}
