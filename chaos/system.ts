/** The whole system as it runs in production: every part a process of its own. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
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
import { sizeOf } from '../start/log-file.ts';
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

type Running = { stop(): Promise<void> };

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function startSystem(options: SystemOptions): Promise<System> {
  options.progress('Starting PostgreSQL and Temporal');
  const servers = await startServers(options);
  const users: Running[] = [];
  const stop = () => stopAll(users, servers);
  try {
    return { ...(await startParts(options, servers, users)), stop };
  } catch (error) {
    await Promise.allSettled([stop()]); // Why it did not start is worth more than what else went wrong then.
    throw error;
  }
}

/** First who uses the servers, then these, whatever the others say. @throws what the first one did that did not stop */
export async function stopAll(users: readonly Running[], servers: Running): Promise<void> {
  const stopped = await Promise.allSettled(users.map((one) => one.stop()));
  await servers.stop();
  const failed = stopped.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** @param running gets each process at once when it runs */
async function startParts(
  { dataDir, progress }: SystemOptions,
  servers: Servers,
  running: Running[],
): Promise<Omit<System, 'stop'>> {
  const ports = { api: await freePort(), worker: await freePort(), simulator: await freePort() };
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const simulatorUrl = `http://127.0.0.1:${ports.simulator}`;
  progress('Starting the simulator, the API and the worker');
  const accounts = demoAccounts(dataDir);
  const startSimulator = simulatorOf(accounts, { dataDir, apiUrl, simulatorUrl, port: ports.simulator });
  let simulator = await startSimulator();
  running.push({ stop: () => simulator.child.stop() });
  await prepareDatabase(servers.databaseUrl, accounts, simulator.published);
  const encryptionKey = randomBytes(32).toString('base64');
  const environment = partEnvironment(servers, { apiUrl, encryptionKey, ...ports });
  const part = (name: string) => new KeptRunning(partSpec(dataDir, name, environment), () => servers.areSteady());
  const parts = { API: part('api'), worker: part('worker') };
  running.push(...Object.values(parts));
  await Promise.all(Object.values(parts).map((one) => one.start()));
  await untilReady(apiUrl);
  return {
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
  };
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
function simulatorOf(
  accounts: DemoAccounts,
  { dataDir, apiUrl, simulatorUrl, port }: SimulatorPlace,
): () => Promise<RunningSimulator> {
  const file = join(dataDir, 'secrets', 'simulator.json');
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
  const spec = node(dataDir, 'simulator', [resolve(import.meta.dirname, '../simulator/main.ts')], env);
  return async () => {
    const logged = sizeOf(spec.logFile);
    const child = await spawnChild(spec);
    return { child, published: await published(child, () => readFileSync(spec.logFile).toString('utf8', logged)) };
  };
}

/** What the simulator prints once it listens. @param said all that it has printed since it was started */
async function published(child: Child, said: () => string): Promise<PublishedBySimulator> {
  for (const end = Date.now() + READY_WITHIN_MS; Date.now() < end && !child.hasExited(); await sleep(POLL_MS))
    if (said().endsWith('\n}\n')) return JSON.parse(said()) as PublishedBySimulator;
  await child.stop();
  throw new StartError(`The simulator did not start. It said:\n${said()}`);
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
