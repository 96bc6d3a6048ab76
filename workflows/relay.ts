import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { relayNotices, startLeftOrders, forgetOldKeys } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});

/** What a crash left behind is taken up: notices nobody was told of, orders nobody started. Run by a Schedule. */
export async function relay(): Promise<void> {
  await Promise.all([relayNotices(), startLeftOrders(), forgetOldKeys()]);
}
