import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES as KEYS } from '../workflows/messages.ts';

/** What operators can search orders by in Temporal; all of type Keyword. */
export const SEARCH_ATTRIBUTES: readonly string[] = Object.values(KEYS).map(({ name }) => name);

const KEYWORD = 2;

/** Registers those that a namespace doesn't know yet. @returns which they were @throws where that is not allowed */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const missing = await missingSearchAttributes(connection, namespace);
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  if (missing.length > 0) await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  return missing;
}

/** Those that a namespace doesn't know yet. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return SEARCH_ATTRIBUTES.filter((name) => !(name in (customAttributes ?? {})));
}

/** The commands that register them, for a person to run. */
export function registerCommands(missing: readonly string[], namespace: string): string[] {
  return missing.map(
    (name) => `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
  );
}
