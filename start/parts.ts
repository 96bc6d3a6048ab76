/** How our own parts are started and wired. Nothing else knows all of them. */
import { join } from 'node:path';
import { runApi } from '../api/server.ts';
import { connectClient, type TemporalTarget } from '../client/connection.ts';
import { temporalGateway } from '../client/gateway.ts';
import { temporalNotifiers } from '../client/notifiers.ts';
import { readiness } from '../client/readiness.ts';
import { connect, FOR_WAITING_CLIENTS } from '../db/connect.ts';
import { findMachineGateway } from '../db/machines.ts';
import { findProviderAccount } from '../db/merchants.ts';
import { migrate } from '../db/migrate.ts';
import { createSavedFeed } from '../db/saved-feed.ts';
import { createSealer } from '../db/sealed.ts';
import { machineGateways } from '../devices/gateways.ts';
import { pages } from '../pages/index.ts';
import { providerAccounts } from '../providers/accounts.ts';
import { startSimulator } from '../simulator/server.ts';
import { installRuntime } from '../worker/logging.ts';
import { showWorkerMetrics } from '../worker/metrics.ts';
import { showWorker } from '../worker/server.ts';
import { startWorker } from '../worker/start.ts';
import type { Config, EncryptionKeys } from './config.ts';
import type { Progress } from './failure.ts';
import type { Log } from './log.ts';
import type { ProcessMetrics } from './metrics.ts';
import { freePort } from './ports.ts';
import { demoAccounts, seedAccounts, simulatedMachineOwners, simulatedMerchants } from './demo-accounts.ts';
import { DEMO, seedMerchant } from './seed.ts';

/** What the parts find when they start. */
export type Surroundings = {
  config: Config;
  databaseUrl: string;
  /** Whether we made the database ourselves: only then it is seeded. */
  ownsDatabase: boolean;
  temporal: TemporalTarget;
  /** Where people see their orders in Temporal; null when nobody said. */
  temporalUiUrl: string | null;
  keys: EncryptionKeys;
  log: Log;
  metrics: ProcessMetrics;
  /** Where a worker alone shows how it is; null where an API in the same process does. */
  workerPort: number | null;
};

/** `failed` is rejected when the part ends without being asked to. */
export type Running = { stop(): Promise<void>; failed?: Promise<void> };

export type Parts = {
  /** Migrations; then the demo data, if the database is ours. May run again over what a start that was cut short did. */
  prepareDatabase: (around: Surroundings, progress: Progress) => Promise<void>;
  simulator: StartPart;
  worker: StartPart;
  api: StartPart;
};

/** Returns once the part answers. */
type StartPart = (around: Surroundings) => Promise<Running>;

export const parts: Parts = { prepareDatabase, simulator, worker, api };

async function prepareDatabase({ databaseUrl, ownsDatabase }: Surroundings, progress: Progress): Promise<void> {
  const db = connect(databaseUrl, { connections: 1 });
  try {
    progress('Migrating the database');
    await migrate(db);
    if (ownsDatabase) await seedMerchant(db);
  } finally {
    await db.destroy();
  }
}

/** A save is given up within its workflow task. */
const WORKER_STATEMENT_MS = 1_900;

/** The simulated providers know the demo merchant, and it knows them: their keys are exchanged here. */
async function simulator({ config, databaseUrl, ownsDatabase, log }: Surroundings): Promise<Running> {
  const accounts = demoAccounts(config.dataDir);
  const running = await startSimulator({
    port: config.simulatorPort,
    publicUrl: `http://localhost:${config.simulatorPort}`,
    dataDir: join(config.dataDir, 'simulator'),
    merchants: simulatedMerchants(accounts, config.publicUrl),
    machineOwners: simulatedMachineOwners(accounts),
    log,
  });
  if (!ownsDatabase) return running;
  const db = connect(databaseUrl, { connections: 1 });
  await seedAccounts(db, accounts, running);
  await db.destroy();
  return running;
}

async function worker(around: Surroundings): Promise<Running> {
  const { databaseUrl, temporal, config, keys, log, ownsDatabase, metrics, workerPort } = around;
  metrics.also(installRuntime({ log, metricsAddress: `127.0.0.1:${await freePort()}` }));
  showWorkerMetrics(metrics);
  const db = connect(databaseUrl, { statementMs: WORKER_STATEMENT_MS });
  const client = await connectClient(temporal);
  const findProvider = providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), process.env);
  const running = await startWorker({
    db,
    sealer: createSealer(keys),
    client,
    temporal,
    findProvider,
    findMachines: machineGateways((merchant) => findMachineGateway(db, merchant), process.env),
    publicUrl: config.publicUrl,
    allowLoopback: ownsDatabase,
    now: Date.now,
    log,
  });
  const ready = async () => [
    ...(await readiness(db, client, null)),
    { name: 'this worker', ready: running.isRunning() },
  ];
  const shown =
    workerPort === null ? null : await showWorker({ host: config.host, port: workerPort, registry: metrics, ready });
  return {
    failed: running.failed,
    async stop() {
      await running.stop();
      await shown?.stop();
      await client.connection.close();
      await db.destroy();
    },
  };
}

async function api({
  databaseUrl,
  temporal,
  temporalUiUrl,
  config,
  keys,
  log,
  ownsDatabase,
  metrics,
}: Surroundings): Promise<Running> {
  const db = connect(databaseUrl, FOR_WAITING_CLIENTS);
  const client = await connectClient(temporal);
  const saved = createSavedFeed(databaseUrl);
  const isEmbedded = ownsDatabase;
  const running = await runApi({
    host: config.host,
    port: config.port,
    pages,
    deps: {
      db,
      saved,
      log,
      now: Date.now,
      publicUrl: config.publicUrl,
      gateway: temporalGateway(client, Date.now),
      notifiers: temporalNotifiers(client),
      allowLoopback: isEmbedded,
      sealer: createSealer(keys),
      findProvider: providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), process.env),
      findMachines: machineGateways((merchant) => findMachineGateway(db, merchant), process.env),
      temporalUi: temporalUiUrl === null ? null : { url: temporalUiUrl, namespace: temporal.namespace },
      rateLimit: isEmbedded ? null : { perMinute: config.requestsPerMinute },
      courseNotifySecret: config.courseNotifySecret ?? (isEmbedded ? DEMO.courseNotifySecret : null),
      ready: () => readiness(db, client, isEmbedded ? `http://127.0.0.1:${config.simulatorPort}/healthz` : null),
      registry: metrics,
    },
  });
  return {
    async stop() {
      await running.stop();
      await saved.stop();
      await client.connection.close();
      await db.destroy();
    },
  };
}
