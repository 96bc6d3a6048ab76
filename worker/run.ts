import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import type { DeliverCall } from '../activities/notifications.ts';
import type { Activities } from '../activities/index.ts';
import { notificationQueue, TASK_QUEUE } from '../workflows/messages.ts';
import { traceActivities, traceSinks } from './tracing.ts';

export type WorkerOptions = {
  connection: NativeConnection;
  namespace: string;
  activities: Activities;
  bundle: WorkflowBundle;
  taskQueue?: string;
  /**
   * Under which deployment this code runs, so that open orders move on to newer code at their next task
   * (AUTO_UPGRADE). Null: unversioned, for servers that know no deployments.
   */
  deployment: WorkerDeploymentVersion | null;
  /** Orders kept in memory; more than are in motion at once. */
  cachedOrders?: number;
};

/** Stops taking work and finishes what runs, within `shutdownGraceTime`. `failed` is rejected if the worker dies. */
export type RunningWorker = { stop(): Promise<void>; failed: Promise<void>; isRunning(): boolean };

/** Runs workflows and activities until it is stopped. @throws if Temporal refuses the worker */
export async function runWorker({
  connection,
  namespace,
  activities,
  bundle,
  taskQueue = TASK_QUEUE,
  deployment,
  cachedOrders = 2000,
}: WorkerOptions): Promise<RunningWorker> {
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: bundle,
    activities,
    interceptors: { activity: [traceActivities] },
    sinks: traceSinks,
    maxCachedWorkflows: cachedOrders,
    ...(deployment && {
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: deployment,
        defaultVersioningBehavior: 'AUTO_UPGRADE' as const,
      },
    }),
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: '8s',
    shutdownForceTime: '12s',
  });
  const telling = await Worker.create({
    connection,
    namespace,
    taskQueue: notificationQueue(taskQueue),
    activities: { deliverNotifications: (call: DeliverCall) => activities.deliverNotifications(call) },
    interceptors: { activity: [traceActivities] },
    shutdownGraceTime: '8s',
    shutdownForceTime: '12s',
  });
  const workers = [worker, telling];
  const running = Promise.all(workers.map((one) => one.run())).then(() => {});
  running.catch(() => {});
  return {
    failed: running,
    isRunning: () => workers.every((one) => one.getState() === 'RUNNING'),
    async stop() {
      for (const one of workers) if (one.getState() === 'RUNNING') one.shutdown();
      await running.catch(() => {});
    },
  };
}
