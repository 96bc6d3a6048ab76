/** The system that is measured: API and worker in one process, as `npm start` has them. */
import { randomBytes } from 'node:crypto';
import type { WorkflowBundle } from '@temporalio/worker';
import pino from 'pino';
import { Registry } from 'prom-client';
import { runApi } from '../api/server.ts';
import { connectClient, temporalAt } from '../client/connection.ts';
import { temporalNotifiers } from '../client/notifiers.ts';
import { temporalGateway } from '../client/gateway.ts';
import { connect } from '../db/connect.ts';
import { findMachineGateway } from '../db/machines.ts';
import { findProviderAccount } from '../db/merchants.ts';
import { createSavedFeed } from '../db/saved-feed.ts';
import { createSealer } from '../db/sealed.ts';
import { machineGateways } from '../devices/gateways.ts';
import { providerAccounts } from '../providers/accounts.ts';
import { freePort } from '../start/ports.ts';
import { startWorker } from '../worker/start.ts';
import type { Statement } from './statements.ts';

export type SystemOptions = {
  databaseUrl: string;
  /** host:port */
  temporalAddress: string;
  taskQueue?: string;
  /** Made when there is none. */
  bundle?: WorkflowBundle;
};

export type System = {
  /** Of the API. */
  url: string;
  /** What API and worker have said to the database since the last time this was asked; of very much, the beginning. */
  takeStatements(): Statement[];
  stop(): Promise<void>;
};

/** Nobody asks while orders are measured by the hundred. */
const MOST_KEPT = 2_000;

/** @param options a migrated database with the demo merchant, and a Temporal server that knows our search attributes */
export async function startSystem(options: SystemOptions): Promise<System> {
  const statements: Statement[] = [];
  const note = (text: string, ms: number) => void (statements.length < MOST_KEPT && statements.push({ text, ms }));
  const db = connect(options.databaseUrl, { onQuery: note });
  const port = await freePort();
  const common = {
    db,
    client: await connectClient(temporalAt(options.temporalAddress)),
    findProvider: providerAccounts((merchant, name) => findProviderAccount(db, merchant, name), process.env),
    findMachines: machineGateways((merchant) => findMachineGateway(db, merchant), process.env),
    publicUrl: `http://127.0.0.1:${port}`,
    sealer: createSealer([{ id: 'bench', key: randomBytes(32) }]),
    allowLoopback: true,
    now: Date.now,
    log: pino({ level: 'silent' }),
  };
  const worker = await startWorker({ ...common, ...workerOptions(options) });
  const api = await startApi(common, options, port);
  return {
    url: common.publicUrl,
    takeStatements: () => statements.splice(0),
    async stop() {
      await api.stop();
      await worker.stop();
      await common.client.connection.close();
      await db.destroy();
    },
  };
}

const workerOptions = ({ temporalAddress, taskQueue, bundle }: SystemOptions) => ({
  temporal: temporalAt(temporalAddress),
  ...(taskQueue !== undefined && { taskQueue }),
  ...(bundle && { bundle }),
});

type Common = Omit<Parameters<typeof startWorker>[0], 'temporal'>;

async function startApi({ client, ...common }: Common, { databaseUrl, taskQueue }: SystemOptions, port: number) {
  const saved = createSavedFeed(databaseUrl);
  const api = await runApi({
    host: '127.0.0.1',
    port,
    deps: {
      ...common,
      saved,
      gateway: temporalGateway(client, common.now, taskQueue),
      notifiers: temporalNotifiers(client, taskQueue),
      temporalUi: null,
      rateLimit: null,
      courseNotifySecret: null,
      ready: () => Promise.resolve([]),
      registry: new Registry(),
    },
  });
  return {
    async stop() {
      await api.stop();
      await saved.stop();
    },
  };
}
