/** The embedded mode: brings everything up in order, and down in the opposite one. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portsOf, type Config, type Environment } from './config.ts';
import { goOn, messageOf, StartError, StoppedEarly, type Progress } from './failure.ts';
import { keysOf } from './keys.ts';
import { lockFolder } from './lock.ts';
import { createFileLog } from './log.ts';
import type { Parts, Running, Surroundings } from './parts.ts';
import { checkPorts } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { endLeftChildren } from './processes.ts';
import { findTemporal } from './temporal-binary.ts';
import { checkTemporal, readTemporalTarget } from './temporal-target.ts';
import { startTemporal } from './temporal.ts';

export type StartOptions = {
  config: Config;
  env: Environment;
  parts: Parts;
  progress: Progress;
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
  Temporal: 9_000,
  PostgreSQL: 10_000,
  folder: 1_000,
};
type Name = keyof typeof STOP_WITHIN_MS;
const STOP_ORDER = Object.keys(STOP_WITHIN_MS) as Name[];
const LOCK_WAIT_MS = 30_000;

type Started = Map<Name, Running>;
type Embedded = Running & { exited: Promise<string> };

/**
 * Starts PostgreSQL and Temporal, unless the configuration names others, and then our own parts.
 * @throws StartError with a message for people; StoppedEarly. Nothing is left running then.
 */
export async function startEverything(options: StartOptions): Promise<Everything> {
  const started: Started = new Map();
  const stop = () => stopAll(started, options.progress);
  try {
    await takeFolder(options, started);
    const { database, temporal } = await startServers(options, started);
    const around = await surroundings(options, database, temporal);
    await startParts(options, around, started);
    return { around, broken: Promise.race([brokenBy('PostgreSQL', database), brokenBy('Temporal', temporal)]), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function takeFolder({ config, progress, signal }: StartOptions, started: Started): Promise<void> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o711 });
  const lock = { what: 'The data folder', waitMs: LOCK_WAIT_MS, progress, signal };
  const unlock = await lockFolder(config.dataDir, lock);
  started.set('folder', { stop: async () => unlock() });
  await endLeftChildren(join(config.dataDir, 'run'), progress);
  await checkPorts(
    portsOf(config).map((use) => ({ ...use, host: use.variable === 'PORT' ? config.host : '127.0.0.1' })),
  );
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
    one(() => embedDatabase({ ...options, signal }, started)),
    one(() => embedTemporal({ ...options, signal }, started)),
  ]);
  if (failures.length > 0) throw failures.find((error) => !(error instanceof StoppedEarly)) ?? failures[0];
  return { database, temporal };
}

async function embedDatabase({ config, progress, signal }: StartOptions, started: Started) {
  if (config.databaseUrl !== null) return null;
  const postgres = await startPostgres({ dataDir: config.dataDir, progress, signal });
  started.set('PostgreSQL', postgres);
  return postgres;
}

async function embedTemporal({ config, env, progress, signal }: StartOptions, started: Started) {
  if (config.hasTemporal) return null;
  const binary = await findTemporal({ env, progress, signal });
  const ports = { port: config.temporalPort, uiPort: config.temporalUiPort };
  const temporal = await startTemporal({ binary, dataDir: config.dataDir, ...ports, progress, signal });
  started.set('Temporal', temporal);
  return temporal;
}

async function surroundings(
  { config, env, progress }: StartOptions,
  database: { url: string } | null,
  temporal: { address: string; uiUrl: string | null } | null,
): Promise<Surroundings> {
  const target = temporal
    ? { connection: { address: temporal.address }, namespace: 'default' }
    : readTemporalTarget(env);
  if (!temporal) await checkTemporal(target);
  const databaseUrl = database?.url ?? config.databaseUrl;
  if (databaseUrl === null) throw new Error('there is neither an embedded database nor another');
  return {
    config,
    databaseUrl,
    ownsDatabase: database !== null,
    temporal: target,
    temporalUiUrl: temporal ? temporal.uiUrl : config.temporalUiUrl,
    keys: config.encryptionKeys ?? keysOf(config.dataDir),
    log: createFileLog(config.logLevel, join(config.dataDir, 'logs', 'orders.log'), progress),
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

/** Never settles for a server that isn't ours. */
function brokenBy(name: Name, server: Embedded | null): Promise<string> {
  return server ? server.exited.then((how) => `${name} has ended by itself (${how})`) : new Promise(() => {});
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
