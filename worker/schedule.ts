import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { TASK_QUEUE } from '../workflows/messages.ts';

/** The one Schedule of these orders that takes up what a crash left behind; made once, by whichever worker is first. */
export async function ensureRelay(client: Client, taskQueue = TASK_QUEUE): Promise<void> {
  const id = `${taskQueue}-relay`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: '10s' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'relay',
        workflowId: id,
        taskQueue,
        args: [],
        workflowRunTimeout: '2m',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
