import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { traceCalls } from './tracing.ts';

/** Where Temporal is, in the form that both of its connections take. */
export type TemporalTarget = { connection: ConnectionOptions & { address?: string | undefined }; namespace: string };

export const temporalAt = (address: string, namespace = 'default'): TemporalTarget => ({
  connection: { address },
  namespace,
});

/** Somebody waits for the answer: a server that is away is to be noticed soon, and a relay repeats what matters. */
const ATTEMPTS = 3;

/** For the API. @throws if it can't be reached */
export async function connectClient({ connection, namespace }: TemporalTarget): Promise<Client> {
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: ATTEMPTS }))];
  const options = { ...connection, interceptors } as ConnectionOptions;
  const connected = await Connection.connect(options);
  return new Client({ connection: connected, namespace, interceptors: { workflow: [traceCalls] } });
}

/** For a worker. @throws if it can't be reached */
export const connectNative = ({ connection }: TemporalTarget): Promise<NativeConnection> =>
  NativeConnection.connect(connection as Parameters<typeof NativeConnection.connect>[0]);
