/** The Temporal server of somebody else: how to reach it, and whether it is ready for us. */
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { TemporalTarget } from '../client/connection.ts';
import { ConfigError, type Environment } from './config.ts';
import { messageOf, StartError } from './failure.ts';
import { howToRegister, missingSearchAttributes } from './search-attributes.ts';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Reads Temporal's own environment configuration (TEMPORAL_ADDRESS, a profile, TLS, an API key).
 * @throws ConfigError when it can't be read.
 */
export function readTemporalTarget(env: Environment): TemporalTarget {
  const known = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(known) });
    return { connection: connectionOptions, namespace: namespace ?? 'default' };
  } catch (error) {
    throw new ConfigError(`Temporal's configuration (the TEMPORAL_… variables) can't be used: ${messageOf(error)}`);
  }
}

/**
 * Makes sure that the server answers and that its namespace knows our search attributes.
 * @throws StartError that says what to do.
 */
export async function checkTemporal({ connection: options, namespace }: TemporalTarget): Promise<void> {
  const where = `Temporal at ${addressOf(options)} (TEMPORAL_ADDRESS), namespace ${namespace}`;
  const missing = await askForMissing(options, namespace).catch((error: unknown) => {
    throw new StartError(`${where}: ${messageOf(error)}`);
  });
  if (missing.length === 0) return;
  const how = 'Run `npm run orders -- temporal setup` where that is allowed, or else:';
  const lines = howToRegister(missing, namespace, addressOf(options)).map((line) => `  ${line}`);
  throw new StartError([`${where}: search attributes are missing. ${how}`, ...lines].join('\n'));
}

export const addressOf = ({ address }: TemporalTarget['connection']): string => address ?? 'localhost:7233';

async function askForMissing(options: TemporalTarget['connection'], namespace: string): Promise<string[]> {
  const connection = await Connection.connect({ ...options, connectTimeout: ANSWER_WITHIN_MS });
  try {
    const deadline = Date.now() + ANSWER_WITHIN_MS;
    return await connection.withDeadline(deadline, () => missingSearchAttributes(connection, namespace));
  } finally {
    await connection.close();
  }
}
