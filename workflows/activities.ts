import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

/** How each activity is called: local ones occupy the workflow task, so they are short; see docs/adr. */

/**
 * A save that the database doesn't take is repeated in the task for a moment, and then with growing pauses outside of
 * it, so that an outage costs an order little history.
 */
const saving = proxyLocalActivities<Activities>({
  startToCloseTimeout: '2s',
  localRetryThreshold: '1s',
  retry: { initialInterval: '100ms', backoffCoefficient: 3, maximumInterval: '20s' },
});
export const { saveOrder, readNotice, findReviewer } = saving;

/** Somebody waits: one quick try within the task. */
export const { openAttempt: tryToOpen } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '1s',
  retry: { maximumAttempts: 1 },
});
/** And if that was not quick enough, a few more outside of it. */
export const openAttempt = proxyActivities<Activities>({
  startToCloseTimeout: '6s',
  scheduleToCloseTimeout: '9s',
  retry: { initialInterval: '300ms', backoffCoefficient: 2, maximumInterval: '2s' },
  summary: 'Open the payment at its provider',
}).openAttempt;

export const loadOrder = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '10s' },
  summary: 'Load the stored order',
}).loadOrder;

/** Must be done, however long it takes (rule 9); pauses that the activity asks for count first. */
const owed = {
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
} as const;
export const owedActivities = (summary: string) => proxyActivities<Activities>({ ...owed, summary });
