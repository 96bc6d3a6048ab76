/** PostgreSQL and Temporal, real and durable, each of which can be away for a while and comes back at the same place. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../start/failure.ts';
import { freePort } from '../start/ports.ts';
import { startPostgres, type Postgres } from '../start/postgres.ts';
import { findTemporal } from '../start/temporal-binary.ts';
import { startTemporal, type TemporalServer } from '../start/temporal.ts';

export const SERVERS = ['PostgreSQL', 'Temporal'] as const;
export type ServerName = (typeof SERVERS)[number];

export type Servers = {
  databaseUrl: string;
  /** host:port */
  temporalAddress: string;
  down(name: ServerName): Promise<void>;
  up(name: ServerName): Promise<void>;
  /** Down, and up again after so long. Another one's turn comes afterwards. */
  away(name: ServerName, ms: number): Promise<void>;
  /** Both at once with -9, and up again after so long. */
  cut(ms: number): Promise<void>;
  /** Whether both are there, and have been for long enough that nothing feels it any more. */
  areSteady(): boolean;
  /** Which outage there is now, counted from 1; null: both are there. */
  outage(): number | null;
  stop(): Promise<void>;
};

const STEADY_MS = 10_000;

type Place = { dataDir: string; progress: Progress; signal?: AbortSignal };

/** @throws StartError, StoppedEarly; nothing is left running then */
export async function startServers(place: Place): Promise<Servers> {
  const { progress, signal } = place;
  const binary = await findTemporal({ env: process.env, progress, ...(signal && { signal }) });
  const ports = { postgres: await freePort(), temporal: await freePort() };
  const start = {
    PostgreSQL: () => startPostgres({ ...place, port: ports.postgres }),
    Temporal: () => startTemporal({ ...place, binary, port: ports.temporal, uiPort: null }),
  };
  const postgres = await start.PostgreSQL();
  const temporal = await start.Temporal().catch(async (error: unknown) => {
    await postgres.stop();
    throw error;
  });
  const running: { [N in ServerName]?: Postgres | TemporalServer } = { PostgreSQL: postgres, Temporal: temporal };
  let [backSince, outages] = [Date.now(), 0];
  const end = async (name: ServerName, how: 'stop' | 'kill') => {
    backSince = Infinity;
    outages += 1;
    await running[name]?.[how]();
    delete running[name];
  };
  const down = (name: ServerName) => end(name, 'stop');
  const up = async (name: ServerName) => {
    if (!signal?.aborted) running[name] ??= await start[name]();
    if (running.PostgreSQL && running.Temporal) backSince = Date.now();
  };
  return {
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    down,
    up,
    async away(name, ms) {
      await down(name);
      await sleep(ms);
      await up(name);
    },
    async cut(ms) {
      await Promise.all(SERVERS.map((name) => end(name, 'kill')));
      await sleep(ms);
      for (const name of SERVERS) await up(name);
    },
    outage: () => (backSince === Infinity ? outages : null),
    areSteady: () => Date.now() - backSince > STEADY_MS,
    stop: async () => void (await Promise.all((Object.keys(start) as ServerName[]).map(down))),
  };
}
