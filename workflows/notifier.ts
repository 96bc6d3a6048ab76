import { condition, continueAsNew, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { notificationQueue, somethingToTell } from './messages.ts';

/**
 * Tells one endpoint of a merchant what waits for it, until nothing does. Whoever writes something new for it starts
 * this again, or wakes it.
 */
export async function notifier(endpoint: string): Promise<void> {
  let woken = false;
  setHandler(somethingToTell, () => {
    woken = true;
  });
  const { deliverNotifications } = proxyActivities<Activities>({
    // Endpoints that hang occupy no worker of the orders.
    taskQueue: notificationQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  });
  for (;;) {
    woken = false;
    const { next } = await deliverNotifications({ endpoint, at: Date.now() });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof notifier>(endpoint);
    if (next === null && !woken) return;
    const pause = (next ?? 0) - Date.now();
    if (pause > 0) await condition(() => woken, pause);
  }
}
