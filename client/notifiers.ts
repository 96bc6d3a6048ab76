import type { Client } from '@temporalio/client';
import { notifierWorkflowId, somethingToTell, TASK_QUEUE } from '../workflows/messages.ts';

/** The notifiers of merchants' endpoints, as the rest of the system speaks to them. */
export type Notifiers = {
  /** There is something for this endpoint: starts its notifier, or wakes it. @throws what Temporal's client throws */
  tell(endpoint: string): Promise<void>;
  /**
   * The same in a while (milliseconds), once for all that comes until then. Nobody waits, and what goes wrong is left to
   * the relay.
   */
  tellSoon(endpoints: readonly string[], delayMs: number): void;
};

const TELLING_MS = 5_000;

/** @param taskQueue where the workers listen */
export function temporalNotifiers(client: Client, taskQueue = TASK_QUEUE): Notifiers {
  const soon = new Set<string>();
  const tell = async (endpoint: string): Promise<void> => {
    await client.connection.withDeadline(Date.now() + TELLING_MS, () =>
      client.workflow.signalWithStart('notifier', {
        workflowId: notifierWorkflowId(endpoint),
        taskQueue,
        args: [endpoint],
        signal: somethingToTell,
        signalArgs: [],
        staticSummary: `Tells endpoint ${endpoint}`,
      }),
    );
  };
  return {
    tell,
    tellSoon(endpoints, delayMs) {
      for (const endpoint of endpoints) {
        const key = `${endpoint} ${delayMs}`;
        if (soon.has(key)) continue;
        soon.add(key);
        setTimeout(() => {
          soon.delete(key);
          tell(endpoint).catch(() => {});
        }, delayMs).unref();
      }
    },
  };
}
