/** PostgreSQL and Temporal for one run: new, on free ports, in a folder that is removed afterwards. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import type { Progress } from '../start/failure.ts';
import { isLocked, lockFolder } from '../start/lock.ts';
import { freePort } from '../start/ports.ts';
import { startPostgres, type Postgres } from '../start/postgres.ts';
import { endLeftChildren } from '../start/processes.ts';
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

const PREFIX = 'durable-orders-bench-';
/** Another run may have made its folder just now, and not locked it yet. Milliseconds. */
const YOUNG_MS = 10_000;

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function startServers(options: ServerOptions): Promise<Servers> {
  await removeLeftRuns(options.progress);
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(dataDir, 0o711); // PostgreSQL's user must get through.
  const unlock = await lockFolder(dataDir, { ...options, what: 'The benchmark folder', waitMs: 0 });
  const started: Stoppable[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
    unlock();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    return { dataDir, stop, ...(await startBoth({ ...options, dataDir }, started)) };
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

/** A run that was killed leaves its folder and perhaps its processes: its pid files tell which. */
async function removeLeftRuns(progress: Progress): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const isYoung = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.birthtimeMs ?? 0) < YOUNG_MS;
    if (isYoung || isLocked(folder)) continue;
    await endLeftChildren(join(folder, 'run'), progress);
    rmSync(folder, { recursive: true, force: true });
  }
}
