/** Everything that a scenario needs, on fresh servers. */
import type { Client } from '@temporalio/client';
import { connectClient, temporalAt } from '../client/connection.ts';
import type { Subject } from './cost.ts';
import { forkSystem, type SystemProcess } from './process.ts';
import { listenForSaves } from './saves.ts';
import { startServers, type ServerOptions, type Servers } from './servers.ts';
import type { Shop } from './shop.ts';
import { stoppedBy } from './stopping.ts';
import { startWorld } from './world.ts';

/**
 * Who runs where: this process is the outside (merchant, buyer, provider); API, worker and the bare workflow's worker
 * and client are a process of their own; PostgreSQL and Temporal are theirs.
 */
export type Bench = Subject & {
  client: Client;
  system: SystemProcess;
  /** The same merchant's program, with an Idempotency-Key on each call. */
  carefulShop: Shop;
  stop(): Promise<void>;
};

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function openBench(options: ServerOptions): Promise<Bench> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end().catch((error: unknown) => options.progress(String(error)));
  };
  try {
    const servers = await startServers(options);
    stops.push(() => servers.stop());
    return { ...(await furnish(servers, options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function furnish(
  { databaseUrl, temporalAddress, dataDir }: Servers,
  { progress, signal }: ServerOptions,
  stops: (() => Promise<unknown>)[],
): Promise<Omit<Bench, 'stop'>> {
  const world = await startWorld(databaseUrl, dataDir);
  stops.push(() => world.stop());
  const saves = await listenForSaves(databaseUrl);
  stops.push(() => saves.stop());
  const client = await connectClient(temporalAt(temporalAddress));
  stops.push(() => client.connection.close());
  progress('Starting API and worker');
  const system = forkSystem();
  stops.push(() => system.stop());
  const apiUrl = await Promise.race([system.start({ databaseUrl, temporalAddress }), stoppedBy(signal)]);
  return {
    client,
    saves,
    system,
    shop: world.shopAt(apiUrl),
    carefulShop: world.shopAt(apiUrl, { keys: true }),
    takeStatements: () => system.takeStatements(),
  };
}
