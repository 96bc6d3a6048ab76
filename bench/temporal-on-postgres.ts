/** Temporal's full server, all its services in one process, with its histories in PostgreSQL. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { goOn, messageOf, StartError, type Progress } from '../start/failure.ts';
import { readLogSince } from '../start/log-file.ts';
import { runChild, spawnChild, type Child, type ChildSpec } from '../start/processes.ts';
import { registerSearchAttributes } from '../start/search-attributes.ts';
import { findTemporalServer, type ServerPrograms } from './temporal-server-build.ts';
import { freePorts, SERVICES, serverConfig, STORES, type Store } from './temporal-server-config.ts';

export type TemporalOnPostgres = {
  /** host:port */
  address: string;
  stop(): Promise<void>;
};
type StartOptions = {
  /** For its configuration, log and pid file. */
  dataDir: string;
  /** The PostgreSQL to use, as its superuser. */
  adminUrl: string;
  progress: Progress;
  signal: AbortSignal;
};

const READY_WITHIN_MS = 60_000;
const POLL_MS = 200;
const NAMESPACE = 'default';
const ENDING = { gentle: 'SIGTERM', force: 'SIGKILL', patienceMs: 5_000 } as const;

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function startTemporalOnPostgres(options: StartOptions): Promise<TemporalOnPostgres> {
  const { dataDir, adminUrl, progress, signal } = options;
  const programs = await findTemporalServer(options);
  progress('Making the databases of Temporal');
  for (const store of STORES) await makeDatabase(store, programs, options);
  goOn(signal);
  progress("Starting Temporal's full server");
  const ports = await freePorts(SERVICES.length * 2);
  const folder = join(dataDir, 'temporal');
  await mkdir(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'bench.yaml'), serverConfig(new URL(adminUrl), ports), { mode: 0o600 });
  const address = `127.0.0.1:${ports[0]}`;
  const child = await spawnServer(programs, folder, dataDir);
  try {
    await prepare(child, address, signal);
  } catch (error) {
    await child.stop();
    goOn(signal);
    const said = readLogSince(logOf(dataDir), 0).slice(-2_000);
    throw new StartError(`Temporal's full server did not start (${messageOf(error)}). It said:\n${said}`);
  }
  return { address, stop: () => child.stop() };
}

const logOf = (dataDir: string): string => join(dataDir, 'logs', 'temporal.log');

async function makeDatabase(store: Store, { sqlTool }: ServerPrograms, options: StartOptions): Promise<void> {
  const url = new URL(options.adminUrl);
  const db = new pg.Client({ connectionString: options.adminUrl });
  await db.connect();
  await db.query(`create database ${store.database}`).finally(() => db.end());
  const common: Omit<ChildSpec, 'args'> = {
    name: 'temporal-sql-tool',
    command: sqlTool,
    env: { SQL_PASSWORD: decodeURIComponent(url.password) },
    runDir: join(options.dataDir, 'run'),
    logFile: logOf(options.dataDir),
    ending: ENDING,
  };
  const where = ['--plugin', 'postgres12_pgx', '--ep', url.hostname, '-p', url.port, '-u', url.username];
  for (const command of [
    ['setup-schema', '-v', '0.0'],
    ['update-schema', '--schema-name', store.schema],
  ]) {
    const args = [...where, '--db', store.database, ...command];
    const outcome = await runChild({ ...common, args }, options.signal);
    if (outcome !== 'exit code 0')
      throw new StartError(`temporal-sql-tool ${command[0]} failed (${outcome}): ${readLogSince(common.logFile, 0)}`);
  }
}

const spawnServer = ({ server }: ServerPrograms, folder: string, dataDir: string): Promise<Child> =>
  spawnChild({
    name: 'temporal',
    command: server,
    args: ['--root', folder, '--config', '.', '--env', 'bench', '--allow-no-auth', 'start'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'] },
    cwd: folder,
    runDir: join(dataDir, 'run'),
    logFile: logOf(dataDir),
    ending: ENDING,
  });

/** The services need some seconds to find each other; the namespace and its search attributes some more to be known. */
async function prepare(child: Child, address: string, signal: AbortSignal): Promise<void> {
  for (const end = Date.now() + READY_WITHIN_MS; ; await sleep(POLL_MS)) {
    if (child.hasExited()) throw new Error(await child.exited);
    goOn(signal);
    try {
      return await setUp(address);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** @throws until everything is there */
async function setUp(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      const { namespaces } = await connection.workflowService.listNamespaces({});
      if (!namespaces.some(({ namespaceInfo }) => namespaceInfo?.name === NAMESPACE)) {
        const workflowExecutionRetentionPeriod = msToTs('1 day');
        await connection.workflowService.registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod });
      }
      const missing = await registerSearchAttributes(connection, NAMESPACE);
      if (missing.length > 0) throw new Error(`search attributes are not known yet: ${missing.join(', ')}`);
    });
  } finally {
    await connection.close();
  }
}
