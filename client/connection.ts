import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

/** Where Temporal is, in the form that both of its connections take. */
export type TemporalTarget = { connection: ConnectionOptions; namespace: string };

/** By Temporal's own environment configuration: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS… */
export function temporalFromEnvironment(): TemporalTarget {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connection: connectionOptions, namespace: namespace ?? 'default' };
}
export const temporalAt = (address: string, namespace = 'default'): TemporalTarget => ({
  connection: { address },
  namespace,
});

/** @throws if it can't be reached */
export async function connectClient({ connection, namespace }: TemporalTarget): Promise<Client> {
  return new Client({ connection: await Connection.connect(connection), namespace });
}

/** What a worker uses. @throws if it can't be reached */
export const connectNative = ({ connection }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connection as Parameters<typeof NativeConnection.connect>[0]);
