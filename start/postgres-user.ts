/**
 * PostgreSQL refuses to run as root. Started as root, we run it as another user, who may not be able to reach the
 * checkout or the data folder (under the home of root, say, or a temporary folder). Then it gets, through setpriv, the one
 * capability to pass such folders, and nothing else.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf, StartError } from './failure.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';

/** How to run one of PostgreSQL's programs. */
export type PostgresUser = {
  uid: number | undefined;
  gid: number | undefined;
  /** The command that starts the given one: itself, or setpriv around it. */
  wrap(command: string, args: readonly string[]): Pick<Launch, 'command' | 'args' | 'uid' | 'gid'>;
};

type Launch = { command: string; args: string[]; uid?: number; gid?: number };
type Ids = { uid: number; gid: number };

/** In the order of how little they allow. Containers often have only the second. */
const CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
];

/**
 * Decides who runs PostgreSQL, and gives `folder` (which exists, for its data) to that user.
 * @throws StartError when there is nobody who can.
 */
export async function choosePostgresUser(binaries: PostgresBinaries, folder: string): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return { uid: undefined, gid: undefined, wrap: plain };
  const ids = ownerOf(folder) ?? idsOf('postgres') ?? idsOf('nobody');
  if (!ids) throw new StartError(`PostgreSQL can't run as root, and there is no user postgres or nobody. ${WAYS_OUT}`);
  giveTo(ids, folder);
  const switchUser = (command: string, args: readonly string[]) => ({ ...plain(command, args), ...ids });
  for (const wrap of [switchUser, ...availableCapabilities().map((name) => withCapability(name, ids))]) {
    if (await canRun({ ...ids, wrap }, binaries, folder)) return { ...ids, wrap };
  }
  throw new StartError(
    `PostgreSQL can't run as root, and user ${ids.uid} can't reach ${binaries.postgres} and ${folder}. ${WAYS_OUT}`,
  );
}

const WAYS_OUT =
  'Start as an ordinary user, or put the checkout and DATA_DIR where every user may go (under /srv, say), ' +
  'or set DATABASE_URL to a PostgreSQL of your own.';

function plain(command: string, args: readonly string[]): Launch {
  return { command, args: [...args] };
}

function giveTo({ uid, gid }: Ids, folder: string): void {
  try {
    chownSync(folder, uid, gid);
  } catch (error) {
    throw new StartError(
      `PostgreSQL can't run as root, and this root can't give files away (${messageOf(error)}). ${WAYS_OUT}`,
    );
  }
}

/** Data from an earlier run stays with the user who made it. */
function ownerOf(folder: string): Ids | null {
  const { uid, gid } = statSync(folder);
  return uid === 0 ? null : { uid, gid };
}

function idsOf(user: string): Ids | null {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' })));
    return uid !== undefined && gid !== undefined ? { uid, gid } : null;
  } catch {
    return null;
  }
}

function availableCapabilities(): string[] {
  if (process.platform !== 'linux') return [];
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return CAPABILITIES.filter(({ bit }) => BigInt(`0x${mask}`) & (1n << bit)).map(({ name }) => name);
}

/** `no_setuid_fixup`: PostgreSQL looks for its programs with access(2), which ignores capabilities otherwise. */
function withCapability(capability: string, { uid, gid }: Ids): PostgresUser['wrap'] {
  const only = `-all,+${capability}`;
  const options = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--no-new-privs',
    '--securebits=+no_setuid_fixup',
    `--inh-caps=${only}`,
    `--ambient-caps=${only}`,
    `--bounding-set=${only}`,
  ];
  return (command, args) => ({ command: 'setpriv', args: [...options, '--', command, ...args] });
}

/** Asking the system is surer than reasoning about modes: runs the program, from inside the folder. */
async function canRun(user: PostgresUser, { postgres, initdb }: PostgresBinaries, folder: string): Promise<boolean> {
  const script = 'cd "$1" && test -x "$2" && "$3" --version';
  const { command, args, ...ids } = user.wrap('/bin/sh', ['-c', script, 'sh', folder, initdb, postgres]);
  try {
    await promisify(execFile)(command, args, { ...ids, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
