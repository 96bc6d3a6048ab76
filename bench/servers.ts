/** PostgreSQL and Temporal for one run: new, on free ports, in a folder that is removed afterwards. */
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import type { Progress } from '../start/failure.ts';
import { freePort } from '../start/ports.ts';
import { startPostgres, type Postgres } from '../start/postgres.ts';
import { openRunFolder } from '../start/run-folder.ts';
import { findTemporal } from '../start/temporal-binary.ts';
import { startTemporal } from '../start/temporal.ts';
import { startTemporalOnPostgres } from './temporal-on-postgres.ts';

/** Where Temporal keeps its histories. */
export type TemporalStore = 'memory' | 'postgres';

export type Servers = {
  /** For secrets and logs; gone with the servers. */
  dataDir: string;
  /** A migrated database. */
  databaseUrl: string;
  /** host:port */
  temporalAddress: string;
  stop(): Promise<void>;
};

export type ServerOptions = { store: TemporalStore; progress: Progress; signal: AbortSignal };
type Place = ServerOptions & { dataDir: string };
type Stoppable = { stop(): Promise<void> };

/** @throws StartError, StoppedEarly; nothing is left running then */
export const startServers = (options: ServerOptions): Promise<Servers> =>
  inFolder(options, (dataDir, started) => startBoth({ ...options, dataDir }, started));

type DatabaseOptions = Omit<ServerOptions, 'store'>;
/** PostgreSQL alone, without Temporal. @throws StartError, StoppedEarly; nothing is left running then */
export const startDatabase = (options: DatabaseOptions): Promise<{ adminUrl: string; stop(): Promise<void> }> =>
  inFolder(options, async (dataDir, started) => {
    const postgres = await startPostgres({ ...options, dataDir, durable: false });
    started.push(postgres);
    return { adminUrl: postgres.adminUrl };
  });

async function inFolder<T>(
  options: DatabaseOptions,
  start: (dataDir: string, started: Stoppable[]) => Promise<T>,
): Promise<T & { dataDir: string; stop(): Promise<void> }> {
  const folder = await openRunFolder('durable-orders-bench-', options.progress);
  const dataDir = folder.path;
  const started: Stoppable[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
    folder.remove();
  };
  try {
    return { dataDir, stop, ...(await start(dataDir, started)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBoth(
  place: Place,
  started: Stoppable[],
): Promise<Pick<Servers, 'databaseUrl' | 'temporalAddress'>> {
  const postgres = await startPostgres(place);
  started.push(postgres);
  const db = connect(postgres.url, { connections: 1 });
  await migrate(db).finally(() => db.destroy());
  const temporal = await startStore(place, postgres);
  started.push(temporal);
  return { databaseUrl: postgres.url, temporalAddress: temporal.address };
}

async function startStore(place: Place, postgres: Postgres): Promise<Stoppable & { address: string }> {
  if (place.store === 'postgres') return startTemporalOnPostgres({ ...place, adminUrl: postgres.adminUrl });
  const binary = await findTemporal({ ...place, env: process.env });
  return startTemporal({ ...place, binary, inMemory: true, port: await freePort(), uiPort: null });
}
