import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, type WorkflowBundle } from '@temporalio/worker';
import type { Kysely } from 'kysely';
import pino from 'pino';
import { inject } from 'vitest';
import { connectClient, temporalAt } from '../../client/connection.ts';
import { temporalGateway, type OrderGateway } from '../../client/gateway.ts';
import { temporalNotifiers, type Notifiers } from '../../client/notifiers.ts';
import { connect } from '../../db/connect.ts';
import { findMachineGateway } from '../../db/machines.ts';
import { findProviderAccount } from '../../db/merchants.ts';
import type { Database } from '../../db/schema.ts';
import type { Sealer } from '../../db/sealed.ts';
import { machineGateways, type FindMachines } from '../../devices/gateways.ts';
import { providerAccounts, type FindProvider } from '../../providers/accounts.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { demoAccounts, seedAccounts, simulatedMachineOwners, simulatedMerchants } from '../../start/demo-accounts.ts';
import { seedMerchant } from '../../start/seed.ts';
import type { RunningWorker } from '../../worker/run.ts';
import { startWorker } from '../../worker/start.ts';
import { readBundle } from './bundle.ts';
import { freshDatabase } from './database.ts';
import { replayAll } from './histories.ts';
import { SEALER } from './sealer.ts';

export type System = {
  db: Kysely<Database>;
  sealer: Sealer;
  databaseUrl: string;
  client: Client;
  gateway: OrderGateway;
  notifiers: Notifiers;
  findProvider: FindProvider;
  findMachines: FindMachines;
  simulator: Simulator;
  /** What the demo merchant and its simulated machines sign with. */
  machineSecret: string;
  taskQueue: string;
  bundle: WorkflowBundle;
  startWorker(): Promise<RunningWorker>;
  stop(): Promise<void>;
};

/** TEST_CACHED_ORDERS=0 is for every file what `cachedOrders: 0` is for one. */
const CACHED_ORDERS = process.env['TEST_CACHED_ORDERS'];
/** What an order costs is promised for workers that remember it; others replay it, and tasks may begin twice. */
export const REMEMBERS_ORDERS = CACHED_ORDERS !== '0';
export type SystemOptions = {
  publicUrl?: string;
  /** 0: every task replays its order from the start of the history. */
  cachedOrders?: number;
  /** host:port of another Temporal server than the test run's. */
  temporalAddress?: string;
};
let bundled: WorkflowBundle | undefined;
let count = 0;

/** Everything but the API, for real: own database, own simulator, own task queue. The worker is started by the test. */
export async function startSystem({
  publicUrl = 'http://127.0.0.1:9',
  cachedOrders = CACHED_ORDERS === undefined ? undefined : Number(CACHED_ORDERS),
  temporalAddress = inject('temporalAddress'),
}: SystemOptions = {}): Promise<System> {
  if (!bundled) Runtime.install({ logger: new DefaultLogger('ERROR') });
  const bundle = (bundled ??= readBundle(inject('workflowBundle')));
  const dataDir = mkdtempSync(join(tmpdir(), 'durable-orders-system-'));
  const database = await freshDatabase();
  const db = connect(database.url);
  cpSync(inject('demoKeys'), dataDir, { recursive: true });
  const accounts = demoAccounts(dataDir);
  const simulator = await startSimulator({
    port: 0,
    dataDir,
    merchants: simulatedMerchants(accounts, publicUrl),
    machineOwners: simulatedMachineOwners(accounts),
  });
  await seedMerchant(db);
  await seedAccounts(db, accounts, simulator);
  const temporal = temporalAt(temporalAddress);
  const client = await connectClient(temporal);
  const taskQueue = `orders-${process.pid}-${count++}`;
  const findProvider = providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), process.env);
  const sealer = SEALER;
  const findMachines = machineGateways((merchant) => findMachineGateway(db, merchant), process.env);
  const log = pino({ level: 'silent' });
  const workers: RunningWorker[] = [];
  return {
    db,
    sealer,
    databaseUrl: database.url,
    client,
    gateway: temporalGateway(client, Date.now, taskQueue),
    notifiers: temporalNotifiers(client, taskQueue),
    findProvider,
    findMachines,
    simulator,
    machineSecret: accounts.machines.secret,
    taskQueue,
    bundle,
    async startWorker() {
      const worker = await startWorker({
        db,
        sealer,
        client,
        temporal,
        findProvider,
        findMachines,
        publicUrl,
        taskQueue,
        bundle,
        allowLoopback: true,
        now: Date.now,
        log,
        ...(cachedOrders !== undefined && { cachedOrders }),
      });
      workers.push(worker);
      return worker;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await replayAll({ client, taskQueue, bundle });
      await simulator.stop();
      await client.connection.close();
      await db.destroy();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
