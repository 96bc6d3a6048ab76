import type { Connection } from '@temporalio/client';

/** What operators can search orders by in Temporal; all of type Keyword. */
export const SEARCH_ATTRIBUTES = ['OrderStatus', 'RefundStatus', 'MerchantId', 'MerchantOrderNo', 'Channel'] as const;

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
