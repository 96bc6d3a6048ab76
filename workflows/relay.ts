import { patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { relayNotices, startLeftOrders, forgetOldKeys, wakeNotifiers } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});

/** What a crash left behind is taken up: notices and merchants nobody told, orders nobody started. Run by a Schedule. */
export async function relay(): Promise<void> {
  const work = [relayNotices(), startLeftOrders(), forgetOldKeys()];
  if (patched('notifiers')) work.push(wakeNotifiers());
  await Promise.all<unknown>(work);
}
