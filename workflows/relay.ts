import { patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { relayNotices, startLeftOrders, forgetOldKeys, wakeNotifiers, wakeOrders, settleDoubts, proveWishes } =
  proxyActivities<Activities>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 1 } });

/**
 * What a crash left behind is taken up: notices and merchants nobody told, orders nobody started or that are in doubt. So
 * are orders that the server holds back. Whatever fails ends none of the rest. Run by a Schedule.
 */
export async function relay(): Promise<void> {
  const work = [relayNotices(), startLeftOrders(), forgetOldKeys()];
  if (patched('notifiers')) work.push(wakeNotifiers());
  if (patched('orders-asleep')) work.push(wakeOrders());
  if (patched('orders-in-doubt')) work.push(settleDoubts());
  if (patched('wishes-unproven')) work.push(proveWishes());
  const failed = (await Promise.allSettled<unknown>(work)).find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
