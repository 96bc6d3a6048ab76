import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { listAccounts } = proxyActivities<Activities>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 5 } });
/** Bills are made in the course of the morning: what is not there yet is asked for again, for hours. */
const { reconcileAccount } = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  scheduleToCloseTimeout: '12h',
  retry: { initialInterval: '1m', backoffCoefficient: 2, maximumInterval: '30m' },
});

/** So many statements are read at a time. */
const LANES = 5;

/** Our ledger is compared with every statement that there is. Run by a Schedule; what is late, the next day's run takes up. */
export async function reconciliation(): Promise<void> {
  const waiting = await listAccounts();
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let account = waiting.shift(); account; account = waiting.shift()) {
      const { merchant, provider } = account;
      await reconcileAccount(account).catch(() => failed.push(`${merchant} at ${provider}`));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (failed.length > 0) throw ApplicationFailure.nonRetryable(`no statement of ${failed.join(', ')}`, 'no_statement');
}
