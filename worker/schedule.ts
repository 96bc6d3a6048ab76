import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { TASK_QUEUE } from '../workflows/messages.ts';

/** The one Schedule of these orders that takes up what a crash left behind. */
export const ensureRelay = (client: Client, taskQueue = TASK_QUEUE): Promise<void> =>
  ensure(client, taskQueue, 'relay', { every: { intervals: [{ every: '10s' }] }, catchUp: '1m', lasts: '2m' });

/** The one that brings the albums' sums up to date. */
export const ensureRollUp = (client: Client, taskQueue = TASK_QUEUE): Promise<void> =>
  ensure(client, taskQueue, 'rollUp', { every: { intervals: [{ every: '5m' }] }, catchUp: '1m', lasts: '2m' });

/**
 * The one that compares the ledger with the providers' statements: at 11:30 in China, when bills of the day before are
 * made, and 3:30 of UTC, when PayPal has listed all of it.
 */
export const ensureReconciliation = (client: Client, taskQueue = TASK_QUEUE): Promise<void> =>
  ensure(client, taskQueue, 'reconciliation', {
    every: { calendars: [{ hour: 3, minute: 30 }], timezone: 'UTC' },
    catchUp: '1d',
    lasts: '23h',
  });

/** Made once, by whichever worker is first. */
async function ensure(
  client: Client,
  taskQueue: string,
  workflowType: string,
  { every, catchUp, lasts }: { every: ScheduleOptions['spec']; catchUp: '1m' | '1d'; lasts: '2m' | '23h' },
): Promise<void> {
  const id = `${taskQueue}-${workflowType}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: every,
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUp },
      action: {
        type: 'startWorkflow',
        workflowType,
        workflowId: id,
        taskQueue,
        args: [],
        workflowRunTimeout: lasts,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
