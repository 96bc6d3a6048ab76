import { randomInt } from 'node:crypto';
import { checkPorts } from '../start/ports.ts';

/** What one run of the full server is told. */

export type Store = { name: 'default' | 'visibility'; database: string; schema: string; connections: number };

/** Each of the four services opens so many connections; together fewer than PostgreSQL's 100. */
export const STORES: readonly Store[] = [
  { name: 'default', database: 'temporal', schema: 'postgresql/v12/temporal', connections: 14 },
  { name: 'visibility', database: 'temporal_visibility', schema: 'postgresql/v12/visibility', connections: 3 },
];
/** The frontend is the first: its port is the server's address. */
export const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
/** Enough for one machine; production has hundreds. */
const HISTORY_SHARDS = 4;

/** The server keeps the ports of its members as signed 16-bit numbers in PostgreSQL. */
const LOWEST_PORT = 20_000;
const PORTS_END = 32_768;

/** Different ones that nobody listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST_PORT, PORTS_END);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

const isFree = (port: number): Promise<boolean> =>
  checkPorts([{ variable: '', host: '127.0.0.1', port }]).then(
    () => true,
    () => false,
  );

/** JSON is YAML. @param ports two for each service */
export function serverConfig(database: URL, ports: readonly number[]): string {
  const frontend = `127.0.0.1:${ports[0]}`;
  return JSON.stringify({
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: Object.fromEntries(STORES.map((store) => [store.name, { sql: sqlOf(store, database) }])),
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(SERVICES.map((service, index) => [service, { rpc: rpcOf(ports, index) }])),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: frontend },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } },
    namespaceDefaults: { archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } } },
    publicClient: { hostPort: frontend },
  });
}

const sqlOf = ({ database, connections }: Store, url: URL) => ({
  pluginName: 'postgres12_pgx',
  databaseName: database,
  connectAddr: url.host,
  connectProtocol: 'tcp',
  user: url.username,
  password: decodeURIComponent(url.password),
  maxConns: connections,
  maxIdleConns: connections,
  maxConnLifetime: '1h',
});

const rpcOf = (ports: readonly number[], index: number) => ({
  grpcPort: ports[index],
  membershipPort: ports[SERVICES.length + index],
  bindOnLocalHost: true,
});
