import { patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { relayNotices, startLeftOrders, forgetOldKeys, wakeNotifiers, wakeOrders } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});

/**
 * What a crash left behind is taken up: notices and merchants nobody told, orders nobody started. So are orders that the
 * server holds back. Run by a Schedule.
 */
export async function relay(): Promise<void> {
  const work = [relayNotices(), startLeftOrders(), forgetOldKeys()];
  if (patched('notifiers')) work.push(wakeNotifiers());
  if (patched('orders-asleep')) work.push(wakeOrders());
  await Promise.all<unknown>(work);
}
