/**
 * What tests need of the outside, started once per run: a PostgreSQL with a migrated template database and a Temporal
 * server in memory, on free ports, the workflows' code bundled and the demo's keys made once. Tests get at them by `freshDatabase()`,
 * `inject('temporalAddress')` and `readBundle()`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startSimulator } from '../../simulator/server.ts';
import { demoAccounts, simulatedMerchants } from '../../start/demo-accounts.ts';
import { freePort } from '../../start/ports.ts';
import { startPostgres } from '../../start/postgres.ts';
import { openRunFolder } from '../../start/run-folder.ts';
import { findTemporal } from '../../start/temporal-binary.ts';
import { startTemporal } from '../../start/temporal.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { prepareTemplate } from './database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The test run's PostgreSQL, as its superuser. */
    databaseAdminUrl: string;
    /** host:port of the test run's Temporal server. */
    temporalAddress: string;
    /** A file with the workflows' code, bundled: see `readBundle`. */
    workflowBundle: string;
    /** A folder with everybody's keys at the simulated providers, for tests to copy: making them takes seconds. */
    demoKeys: string;
  }
}

type Service = { stop(): Promise<void> };

const progress = (text: string) => console.log(`[services] ${text}`);
const quiet = () => {};
let stopAll = async () => {};

/** Called by vitest before the first test. */
export async function setup(project: TestProject): Promise<void> {
  const folder = await openRunFolder('durable-orders-test-', progress);
  const services: Service[] = [];
  stopAll = async () => {
    await Promise.all(services.map((service) => service.stop()));
    folder.remove();
  };
  try {
    await startAll(project, folder.path, services);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Called by vitest after the last test. */
export async function teardown(): Promise<void> {
  await stopAll();
}

async function startAll(project: TestProject, dataDir: string, services: Service[]): Promise<void> {
  const database = async () => {
    const postgres = await startPostgres({ dataDir, durable: false, progress: quiet });
    services.push(postgres);
    await prepareTemplate(postgres.adminUrl);
    project.provide('databaseAdminUrl', postgres.adminUrl);
  };
  const temporal = async () => {
    const binary = await findTemporal({ env: process.env, progress });
    const place = { dataDir, inMemory: true, port: await freePort(), uiPort: null };
    const server = await startTemporal({ ...place, binary, progress: quiet });
    services.push(server);
    project.provide('temporalAddress', server.address);
  };
  const workflows = async () => {
    const file = join(dataDir, 'workflows.json');
    writeFileSync(file, JSON.stringify(await bundleWorkflows()));
    project.provide('workflowBundle', file);
  };
  const keys = async () => {
    const folder = join(dataDir, 'demo-keys');
    mkdirSync(folder);
    const merchants = simulatedMerchants(demoAccounts(folder), null);
    const simulator = await startSimulator({ port: 0, dataDir: folder, merchants });
    await simulator.stop();
    project.provide('demoKeys', folder);
  };
  const started = await Promise.allSettled([database(), temporal(), workflows(), keys()]);
  for (const one of started) if (one.status === 'rejected') throw one.reason;
}
