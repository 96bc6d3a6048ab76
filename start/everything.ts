/** The embedded mode: brings everything up in order, and down in the opposite one. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portsOf, type Config, type Environment } from './config.ts';
import { goOn, messageOf, StartError, StoppedEarly, type Progress } from './failure.ts';
import { keysOf } from './keys.ts';
import { lockFolder } from './lock.ts';
import { createFileLog } from './log.ts';
import { ProcessMetrics } from './metrics.ts';
import type { Parts, Running, Surroundings } from './parts.ts';
import { checkPorts } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { endLeftChildren } from './processes.ts';
import { findTemporal } from './temporal-binary.ts';
import type { TemporalTarget } from '../client/connection.ts';
import { checkTemporal, readTemporalTarget } from './temporal-target.ts';
import { startTemporal } from './temporal.ts';
import { startTracing } from './tracing.ts';

export type StartOptions = {
  config: Config;
  env: Environment;
  parts: Parts;
  progress: Progress;
  /** False loses data when the machine crashes: for tests. */
  durable?: boolean;
  /** Calls the start off; what was started by then is stopped. */
  signal: AbortSignal;
};

export type Everything = {
  around: Surroundings;
  /** Settles, with a message, when PostgreSQL or Temporal ends without being asked to. */
  broken: Promise<string>;
  /** Stops everything in order. Never throws; each part has its time. */
  stop(): Promise<void>;
};

/** Who is stopped first, and how long it may take. Together less than the 30 s that we promise. */
const STOP_WITHIN_MS = {
  API: 3_000,
  worker: 5_000,
  simulator: 1_000,
  tracing: 500,
  Temporal: 9_000,
  PostgreSQL: 10_000,
  folder: 1_000,
};
type Name = keyof typeof STOP_WITHIN_MS;
const STOP_ORDER = Object.keys(STOP_WITHIN_MS) as Name[];
const LOCK_WAIT_MS = 30_000;

type Started = Map<Name, Running>;
/** `exited`: null when the server is somebody else's. */
type DatabaseServer = { url: string; exited: Promise<string> | null };
type TemporalServer = { target: TemporalTarget; uiUrl: string | null; exited: Promise<string> | null };

/**
 * Starts PostgreSQL and Temporal, unless the configuration names others, and then our own parts.
 * @throws StartError with a message for people; StoppedEarly. Nothing is left running then.
 */
export async function startEverything(options: StartOptions): Promise<Everything> {
  const started: Started = new Map();
  const stop = () => stopAll(started, options.progress);
  try {
    await takeFolder(options, started);
    const servers = await startServers(options, started);
    const around = surroundings(options, servers);
    started.set('tracing', { stop: await startTracing(options.env, around.log) });
    await startParts(options, around, started);
    return { around, broken: brokenBy(servers), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function takeFolder({ config, progress, signal }: StartOptions, started: Started): Promise<void> {
  makeFolder(config.dataDir);
  const lock = { what: 'The data folder', waitMs: LOCK_WAIT_MS, progress, signal };
  const unlock = await lockFolder(config.dataDir, lock);
  started.set('folder', { stop: async () => unlock() });
  await endLeftChildren(join(config.dataDir, 'run'), progress);
  await checkPorts(
    portsOf(config).map((use) => ({ ...use, host: use.variable === 'PORT' ? config.host : '127.0.0.1' })),
  );
}

/** PostgreSQL's user must get through it; what is inside is closed. */
function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new StartError(`The data folder can't be used (${messageOf(error)}): choose another with DATA_DIR.`);
  }
}

/** Both at once: Temporal may have to be downloaded or built first. If one fails, the other is called off. */
async function startServers(options: StartOptions, started: Started) {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const failures: unknown[] = [];
  const one = async <T>(start: () => Promise<T>): Promise<T | null> => {
    try {
      return await start();
    } catch (error) {
      failures.push(error);
      failed.abort();
      return null;
    }
  };
  const [database, temporal] = await Promise.all([
    one(() => openDatabase({ ...options, signal }, started)),
    one(() => openTemporal({ ...options, signal }, started)),
  ]);
  if (!database || !temporal) throw failures.find((error) => !(error instanceof StoppedEarly)) ?? failures[0];
  return { database, temporal };
}

async function openDatabase(options: StartOptions, started: Started): Promise<DatabaseServer> {
  const { config, progress, signal, durable = true } = options;
  if (config.databaseUrl !== null) return { url: config.databaseUrl, exited: null };
  const postgres = await startPostgres({ dataDir: config.dataDir, progress, durable, signal });
  started.set('PostgreSQL', postgres);
  return postgres;
}

async function openTemporal(options: StartOptions, started: Started): Promise<TemporalServer> {
  const { config, env, progress, signal } = options;
  if (config.hasTemporal) {
    const target = readTemporalTarget(env);
    await checkTemporal(target);
    return { target, uiUrl: config.temporalUiUrl, exited: null };
  }
  const binary = await findTemporal({ env, progress, signal });
  const ports = { port: config.temporalPort, uiPort: config.temporalUiPort };
  const temporal = await startTemporal({ binary, dataDir: config.dataDir, ...ports, progress, signal });
  started.set('Temporal', temporal);
  const { address, uiUrl, exited } = temporal;
  return { target: { connection: { address }, namespace: 'default' }, uiUrl, exited };
}

function surroundings(
  { config, progress }: StartOptions,
  { database, temporal }: { database: DatabaseServer; temporal: TemporalServer },
): Surroundings {
  return {
    config,
    databaseUrl: database.url,
    ownsDatabase: database.exited !== null,
    temporal: temporal.target,
    temporalUiUrl: temporal.uiUrl,
    keys: config.encryptionKeys ?? keysOf(config.dataDir),
    log: createFileLog(config.logLevel, join(config.dataDir, 'logs', 'orders.log'), progress),
    metrics: new ProcessMetrics(),
    workerPort: null,
  };
}

async function startParts(options: StartOptions, around: Surroundings, started: Started): Promise<void> {
  const { parts, progress, signal } = options;
  goOn(signal);
  await parts.prepareDatabase(around, progress).catch((error: unknown) => {
    if (around.ownsDatabase) throw error;
    throw new StartError(`The database in DATABASE_URL can't be used: ${messageOf(error)}`);
  });
  const steps = [
    ['simulator', parts.simulator],
    ['worker', parts.worker],
    ['API', parts.api],
  ] as const;
  for (const [name, start] of steps) {
    goOn(signal);
    progress(`Starting the ${name}`);
    started.set(name, await start(around));
  }
  goOn(signal);
}

/** Never settles for servers that aren't ours. */
function brokenBy({ database, temporal }: { database: DatabaseServer; temporal: TemporalServer }): Promise<string> {
  const exits = [database.exited?.then(named('PostgreSQL')), temporal.exited?.then(named('Temporal'))];
  return Promise.race(exits.filter((exit) => exit !== undefined));
}

function named(name: Name): (how: string) => string {
  return (how) => `${name} has ended by itself (${how})`;
}

async function stopAll(started: Started, progress: Progress): Promise<void> {
  for (const name of STOP_ORDER) {
    const running = started.get(name);
    if (!running) continue;
    started.delete(name);
    const late = sleep(STOP_WITHIN_MS[name], 'late', { ref: false });
    const outcome = await Promise.race([running.stop().then(() => 'stopped', messageOf), late]);
    if (outcome === 'late') progress(`${name} took too long to stop`);
    else if (outcome !== 'stopped') progress(`${name} did not stop well: ${outcome}`);
  }
}
