/** Runs bare workflows and sends them their messages, each once the one before has been taken in. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, Worker, type InjectedSinks, type NativeConnection } from '@temporalio/worker';
import { delivered, payment, type BareActivities, type BareSinks, type Stage } from './bare.ts';
import { inFlight } from './pool.ts';

export type BareWorker = {
  /** Runs so many from start to end, `limit` at a time. @returns their workflow ids */
  run(count: number, limit: number): Promise<string[]>;
  stop(): Promise<void>;
};

/** More than are in motion at once. */
const CACHED = 2000;
const activities: BareActivities = { prepare: async () => {}, dispatch: async () => {} };

/** A worker with its own task queue, in this process. */
export async function startBareWorker(client: Client, connection: NativeConnection): Promise<BareWorker> {
  const taskQueue = `bare-${randomUUID()}`;
  const milestones = new Milestones();
  const worker = await Worker.create({
    connection,
    namespace: client.options.namespace,
    taskQueue,
    workflowBundle: await bundle(),
    activities,
    sinks: sinksOf(milestones),
    maxCachedWorkflows: CACHED,
  });
  const running = worker.run();
  const ended = running.then(() => Promise.reject(new Error('the bare worker has ended')));
  ended.catch(() => {});
  return {
    run: (count, limit) => Promise.race([inFlight(count, limit, () => runOne(client, taskQueue, milestones)), ended]),
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.catch(() => {});
    },
  };
}

const quiet = () => {};
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: console.error };
const bundle = () => bundleWorkflowCode({ workflowsPath: path.resolve(import.meta.dirname, 'bare.ts'), logger });

const sinksOf = (milestones: Milestones): InjectedSinks<BareSinks> => ({
  bench: { reached: { fn: ({ workflowId }, stage) => milestones.tell(workflowId, stage), callDuringReplay: false } },
});

async function runOne(client: Client, taskQueue: string, milestones: Milestones): Promise<string> {
  const workflowId = `bare/${randomUUID()}`;
  const reached = (stage: Stage) => milestones.wait(workflowId, stage);
  const ready = reached('awaits payment');
  const handle = await client.workflow.start('bare', { taskQueue, workflowId });
  await ready;
  for (const [signal, next] of MESSAGES) {
    const answered = reached(next);
    await handle.signal(signal);
    await answered;
  }
  return workflowId;
}

const MESSAGES = [
  [payment, 'awaits items'],
  [delivered, 'awaits the last item'],
  [delivered, 'done'],
] as const;

/** Who waits for a workflow to come how far. */
class Milestones {
  readonly #waiting = new Map<string, () => void>();

  wait(workflowId: string, stage: Stage): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(`${workflowId} ${stage}`, resolve));
  }

  tell(workflowId: string, stage: Stage): void {
    const key = `${workflowId} ${stage}`;
    this.#waiting.get(key)?.();
    this.#waiting.delete(key);
  }
}
