import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES as KEYS } from '../workflows/messages.ts';

/** What operators can search orders by in Temporal; all of type Keyword. */
export const SEARCH_ATTRIBUTES: readonly string[] = Object.values(KEYS).map(({ name }) => name);

const KEYWORD = 2;
const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/** Temporal answers these where only its operators may look: Temporal Cloud, or a cluster that says who may. */
const isRefusal = (error: unknown): boolean => hasCode(error, PERMISSION_DENIED) || hasCode(error, UNIMPLEMENTED);
const hasCode = (error: unknown, code: number): boolean => isGrpcServiceError(error) && Number(error.code) === code;

/** Registers those that a namespace doesn't know yet. @returns which they were @throws where that is not allowed */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const missing = await missingSearchAttributes(connection, namespace);
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  if (missing.length > 0) await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  return missing;
}

/** Those that a namespace doesn't know yet. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return SEARCH_ATTRIBUTES.filter((name) => !(name in (customAttributes ?? {})));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const known = await Promise.all(SEARCH_ATTRIBUTES.map((name) => canSearchBy(connection, namespace, name)));
    return SEARCH_ATTRIBUTES.filter((_, index) => !known[index]);
  }
}

/** A query by what the namespace doesn't know is refused; whoever may count workflows may ask so. */
async function canSearchBy(connection: Connection, namespace: string, name: string): Promise<boolean> {
  try {
    await connection.workflowService.countWorkflowExecutions({ namespace, query: `${name} = 'none'` });
    return true;
  } catch (error) {
    if (hasCode(error, INVALID_ARGUMENT)) return false;
    throw error;
  }
}

/** How a person registers them; in Temporal Cloud only they can. */
export function howToRegister(missing: readonly string[], namespace: string, address: string): string[] {
  if (!/\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(address))
    return missing.map(
      (name) => `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
    );
  const named = missing.map((name) => `--search-attribute "${name}=Keyword"`).join(' ');
  return [
    `tcld namespace search-attributes add --namespace ${namespace} ${named}`,
    `or https://cloud.temporal.io/namespaces/${namespace}: Edit, Search Attributes; type Keyword`,
  ];
}
