import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { rollUp: bringUpToDate } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});

/** The albums' sums are brought up to date. Run by a Schedule. */
export async function rollUp(): Promise<void> {
  await bringUpToDate();
}
