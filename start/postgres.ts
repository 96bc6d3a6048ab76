/** The PostgreSQL that comes with the project, run on a data folder of ours. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { goOn, messageOf, StartError, type Progress } from './failure.ts';
import { readLogSince, sizeOf } from './log-file.ts';
import { freePort } from './ports.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  initialiseCluster,
  postgresEnvironment,
  releaseCluster,
  ROLE,
  SUPERUSER,
  type Cluster,
  type Places,
} from './postgres-cluster.ts';
import { choosePostgresUser } from './postgres-user.ts';
import { spawnChild, type Child } from './processes.ts';
import { keepSecret } from './secrets.ts';

export type PostgresOptions = {
  dataDir: string;
  progress: Progress;
  /** False loses data when the machine crashes: for tests. */
  durable?: boolean;
  /** Any that is free, if not given. */
  port?: number;
  signal?: AbortSignal | undefined;
};

export type Postgres = {
  /** The database `orders`, as a user who owns it and nothing else. Holds the password. */
  url: string;
  /** The same server as its superuser. Holds the password. */
  adminUrl: string;
  /** Settles with how it ended, in words, whoever ended it. */
  exited: Promise<string>;
  stop(): Promise<void>;
  /** As when the power fails. */
  kill(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;
/** SIGINT is PostgreSQL's fast shutdown: clients are cut off, everything is written. SIGQUIT: recovery at next start. */
const ENDING = { gentle: 'SIGINT', force: 'SIGQUIT', patienceMs: 6_000 } as const;
const NEVER_MIND = /Address already in use|is still in use/i;

/**
 * Starts PostgreSQL on 127.0.0.1; makes its data (`dataDir`/postgres) the first time.
 * @throws StartError when it can't run here; StoppedEarly.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const cluster = await openCluster(options);
  goOn(options.signal);
  await releaseCluster(cluster.folder, options.progress);
  const { child, port } = await startServer(cluster, options);
  const url = (user: string, database: string) =>
    `postgres://${user}:${cluster.password}@127.0.0.1:${port}/${database}`;
  const adminUrl = url(SUPERUSER, 'postgres');
  try {
    await createDatabase(adminUrl, cluster.password);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    url: url(ROLE, 'orders'),
    adminUrl,
    exited: child.exited,
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
}

/** How to reach the PostgreSQL that runs on this data folder now (its postmaster.pid names the port), or null. */
export function urlOfRunningPostgres(dataDir: string): string | null {
  const [pidFile, passwordFile] = [join(dataDir, 'postgres', 'postmaster.pid'), join(dataDir, 'postgres.password')];
  if (!existsSync(pidFile) || !existsSync(passwordFile)) return null;
  const port = readFileSync(pidFile, 'utf8').split('\n')[3]?.trim();
  const password = readFileSync(passwordFile, 'utf8').trim();
  return port ? `postgres://${ROLE}:${password}@127.0.0.1:${port}/orders` : null;
}

async function openCluster({ dataDir, progress, durable = true, signal }: PostgresOptions): Promise<Cluster> {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 }); // PostgreSQL's user must get through; what is inside is closed.
  const binaries = await postgresBinaries();
  const folder = join(dataDir, 'postgres');
  const passwordFile = join(dataDir, 'postgres.password');
  if (existsSync(folder) && !existsSync(passwordFile)) {
    throw new StartError(`${passwordFile} is gone, and without it the data in ${folder} can't be opened: restore it.`);
  }
  const password = keepSecret(passwordFile, () => randomBytes(24).toString('base64url'));
  const base = { folder, binaries, password, durable };
  if (existsSync(folder)) return { ...base, user: await choosePostgresUser(binaries, folder) };
  progress('Making a PostgreSQL database');
  const draft = emptyFolder(`${folder}.new`);
  const cluster = { ...base, user: await choosePostgresUser(binaries, draft) };
  await initialiseCluster(cluster, draft, placesIn(dataDir), signal);
  return cluster;
}

function emptyFolder(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

function placesIn(dataDir: string): Places {
  return { runDir: join(dataDir, 'run'), logFile: join(dataDir, 'logs', 'postgres.log') };
}

/** The free port may be taken by the time; and what a killed server still holds in memory needs a moment to go. */
async function startServer(cluster: Cluster, options: PostgresOptions): Promise<{ child: Child; port: number }> {
  const until = Date.now() + READY_WITHIN_MS;
  const places = placesIn(options.dataDir);
  for (;;) {
    const [port, logged] = [options.port ?? (await freePort()), sizeOf(places.logFile)];
    const child = await spawnServer(cluster, port, places);
    const trouble = await untilReady(child, cluster, port, until, options.signal);
    if (!trouble) return { child, port };
    await child.stop();
    goOn(options.signal);
    const said = readLogSince(places.logFile, logged);
    if (!NEVER_MIND.test(said) || Date.now() > until) {
      throw new StartError(`PostgreSQL did not start (${trouble}). It said, in ${places.logFile}:\n${said}`);
    }
    await sleep(500);
  }
}

function spawnServer(cluster: Cluster, port: number, places: Places): Promise<Child> {
  const settings = { ...SETTINGS, ...(cluster.durable ? {} : FAST_SETTINGS), port };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return spawnChild({
    ...cluster.user.wrap(cluster.binaries.postgres, ['-D', cluster.folder, ...flags]),
    name: 'postgres',
    env: postgresEnvironment(),
    cwd: '/',
    ending: ENDING,
    ...places,
  });
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  jit: 'off', // Our statements are short; compiling them costs more than it saves.
};
const FAST_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: 200 };

/** @returns what went wrong, or null when the server answers. */
async function untilReady(
  child: Child,
  { password }: Cluster,
  port: number,
  until: number,
  signal?: AbortSignal,
): Promise<string | null> {
  while (!child.hasExited()) {
    if (signal?.aborted) return 'stopped';
    try {
      await withClient(`postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`, (db) => db.query('select 1'));
      return null;
    } catch (error) {
      if (Date.now() > until) return messageOf(error);
    }
    await sleep(POLL_MS);
  }
  return child.exited;
}

/** Idempotent: a start that was cut short before is completed. */
async function createDatabase(adminUrl: string, password: string): Promise<void> {
  await withClient(adminUrl, async (db) => {
    const role = await db.query('select from pg_roles where rolname = $1', [ROLE]);
    if (!role.rowCount) await db.query(`create role ${ROLE} login password ${db.escapeLiteral(password)}`);
    const database = await db.query("select from pg_database where datname = 'orders'");
    if (!database.rowCount) await db.query(`create database orders owner ${ROLE}`);
  });
}

async function withClient<T>(url: string, use: (db: pg.Client) => Promise<T>): Promise<T> {
  const db = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  db.on('error', () => {}); // A server that goes away while we ask is noticed by the query itself.
  try {
    await db.connect();
    return await use(db);
  } finally {
    await db.end().catch(() => {});
  }
}
