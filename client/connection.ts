import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';

/** Where Temporal is, in the form that both of its connections take. */
export type TemporalTarget = { connection: ConnectionOptions & { address?: string | undefined }; namespace: string };

export const temporalAt = (address: string, namespace = 'default'): TemporalTarget => ({
  connection: { address },
  namespace,
});

/** For the API. @throws if it can't be reached */
export async function connectClient({ connection, namespace }: TemporalTarget): Promise<Client> {
  return new Client({ connection: await Connection.connect(connection as ConnectionOptions), namespace });
}

/** For a worker. @throws if it can't be reached */
export const connectNative = ({ connection }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connection as Parameters<typeof NativeConnection.connect>[0]);
