/** The whole system as it runs in production: every part a process of its own. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import {
  demoAccounts,
  seedAccounts,
  simulatedMachineOwners,
  simulatedMerchants,
  type DemoAccounts,
  type PublishedBySimulator,
} from '../start/demo-accounts.ts';
import { StartError, type Progress } from '../start/failure.ts';
import { freePort } from '../start/ports.ts';
import { spawnChild, type Child, type ChildSpec } from '../start/processes.ts';
import { seedMerchant } from '../start/seed.ts';
import { KeptRunning } from './kept-running.ts';
import { startServers, type Servers } from './servers.ts';

export const PARTS = ['API', 'worker'] as const;
export type PartName = (typeof PARTS)[number];

export type System = {
  dataDir: string;
  apiUrl: string;
  /** Where the worker shows its health and metrics. */
  workerUrl: string;
  simulatorUrl: string;
  /** With which API and worker seal secrets. */
  encryptionKey: string;
  servers: Servers;
  parts: Record<PartName, KeptRunning>;
  /** Stops the simulator, lets its books be changed, and starts it again with them. */
  whileSimulatorIsDown(change: () => void): Promise<void>;
  /** API, worker and both servers end at once with -9; the servers are back after so long. */
  losePower(ms: number): Promise<void>;
  /** Until everything that an order needs is there. @throws after two minutes */
  ready(): Promise<void>;
  stop(): Promise<void>;
};

export type SystemOptions = { dataDir: string; progress: Progress; signal?: AbortSignal };

const READY_WITHIN_MS = 120_000;
const POLL_MS = 100;
/** Providers repeat what we didn't take in after a twentieth of the time that they would really wait. */
const NOTICE_TIME_SCALE = 0.05;

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function startSystem(options: SystemOptions): Promise<System> {
  options.progress('Starting PostgreSQL and Temporal');
  const servers = await startServers(options);
  try {
    return await startParts(options, servers);
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

async function startParts({ dataDir, progress }: SystemOptions, servers: Servers): Promise<System> {
  const ports = { api: await freePort(), worker: await freePort(), simulator: await freePort() };
  const [apiUrl, simulatorUrl] = [ports.api, ports.simulator].map((port) => `http://127.0.0.1:${port}`) as [
    string,
    string,
  ];
  progress('Starting the simulator, the API and the worker');
  const accounts = demoAccounts(dataDir);
  const startSimulator = await simulatorOf(accounts, { dataDir, apiUrl, simulatorUrl, port: ports.simulator });
  let simulator = await startSimulator();
  await prepareDatabase(servers.databaseUrl, accounts, simulator.published);
  const encryptionKey = randomBytes(32).toString('base64');
  const environment = partEnvironment(servers, { apiUrl, encryptionKey, ...ports });
  const part = (name: string) => new KeptRunning(partSpec(dataDir, name, environment), () => servers.areSteady());
  const parts = { API: part('api'), worker: part('worker') };
  const system: System = {
    dataDir,
    apiUrl,
    workerUrl: `http://127.0.0.1:${ports.worker}`,
    simulatorUrl,
    encryptionKey,
    servers,
    parts,
    async whileSimulatorIsDown(change) {
      await simulator.child.stop();
      change();
      simulator = await startSimulator();
    },
    async losePower(ms) {
      Object.values(parts).forEach((part) => part.kill());
      await servers.cut(ms);
    },
    ready: () => untilReady(apiUrl),
    async stop() {
      await Promise.all([...Object.values(parts), simulator.child].map((one) => one.stop()));
      await servers.stop();
    },
  };
  try {
    await Promise.all(Object.values(parts).map((one) => one.start()));
    await system.ready();
    return system;
  } catch (error) {
    await system.stop();
    throw error;
  }
}

async function prepareDatabase(url: string, accounts: DemoAccounts, published: PublishedBySimulator): Promise<void> {
  const db = connect(url, { connections: 1 });
  try {
    await migrate(db);
    await seedMerchant(db);
    await seedAccounts(db, accounts, published);
  } finally {
    await db.destroy();
  }
}

type PartOptions = { apiUrl: string; encryptionKey: string; api: number; worker: number; simulator: number };

function partEnvironment(
  { databaseUrl, temporalAddress }: Servers,
  { apiUrl, encryptionKey, api, worker, simulator }: PartOptions,
) {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    HOST: '127.0.0.1',
    PORT: String(api),
    WORKER_PORT: String(worker),
    PUBLIC_URL: apiUrl,
    SIMULATOR_PORT: String(simulator),
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    ENCRYPTION_KEYS: `chaos:${encryptionKey}`,
    LOG_LEVEL: 'debug', // What is said nowhere else must not say too much either.
  };
}

const ROOT = resolve(import.meta.dirname, '..');

const node = (dataDir: string, name: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildSpec => ({
  name,
  command: process.execPath,
  args: ['--import', 'tsx', ...args],
  env,
  cwd: ROOT,
  runDir: join(dataDir, 'run'),
  logFile: join(dataDir, 'logs', `${name}.log`),
  ending: { gentle: 'SIGTERM', force: 'SIGKILL', patienceMs: 15_000 },
});

const partSpec = (dataDir: string, name: string, env: NodeJS.ProcessEnv): ChildSpec =>
  node(dataDir, name, [resolve(import.meta.dirname, 'part.ts'), name], env);

type SimulatorPlace = { dataDir: string; apiUrl: string; simulatorUrl: string; port: number };
type RunningSimulator = { child: Child; published: PublishedBySimulator };

/** @returns starts it; started again it goes on with the same books */
async function simulatorOf(
  accounts: DemoAccounts,
  { dataDir, apiUrl, simulatorUrl, port }: SimulatorPlace,
): Promise<() => Promise<RunningSimulator>> {
  const file = join(dataDir, 'secrets', 'simulator.json');
  mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const config = {
    merchants: simulatedMerchants(accounts, apiUrl),
    machineOwners: simulatedMachineOwners(accounts),
    publicUrl: simulatorUrl,
    noticeTimeScale: NOTICE_TIME_SCALE,
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    SIMULATOR_CONFIG: file,
    SIMULATOR_PORT: String(port),
    DATA_DIR: dataDir,
  };
  return async () => {
    const spec = node(dataDir, 'simulator', [resolve(import.meta.dirname, '../simulator/main.ts')], env);
    writeFileSync(spec.logFile, '', { mode: 0o600 });
    const child = await spawnChild(spec);
    return { child, published: await published(child, spec.logFile) };
  };
}

/** What the simulator prints once it listens. */
async function published(child: Child, logFile: string): Promise<PublishedBySimulator> {
  for (const end = Date.now() + READY_WITHIN_MS; Date.now() < end && !child.hasExited(); await sleep(POLL_MS)) {
    const said = readFileSync(logFile, 'utf8');
    if (said.trimEnd().endsWith('\n}')) return JSON.parse(said) as PublishedBySimulator;
  }
  await child.stop();
  throw new StartError(`The simulator did not start. It said:\n${readFileSync(logFile, 'utf8')}`);
}

async function untilReady(apiUrl: string): Promise<void> {
  let said = 'no answer';
  for (const end = Date.now() + READY_WITHIN_MS; Date.now() < end; await sleep(POLL_MS)) {
    try {
      const answer = await fetch(`${apiUrl}/readyz`);
      said = await answer.text();
      if (answer.ok) return;
    } catch (error) {
      said = String(error);
    }
  }
  throw new StartError(`The API and the worker did not get ready: ${said}`);
}
