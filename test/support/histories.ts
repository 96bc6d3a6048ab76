import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import type { OrderId } from '../../domain/ids.ts';
import { traceSinks } from '../../worker/tracing.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import type { System } from './system.ts';

export const HISTORIES = path.resolve(import.meta.dirname, '../histories');

/** Replays every run on this task queue, open or closed. @throws the first that the workflow code does not fit any more */
export async function replayAll({ client, taskQueue, bundle }: Pick<System, 'client' | 'taskQueue' | 'bundle'>) {
  const runs = client.workflow.list({ query: `TaskQueue = '${taskQueue}'` });
  const results = Worker.runReplayHistories(
    { workflowBundle: bundle, sinks: traceSinks },
    begun(runs.intoHistories({ concurrency: 4 })),
  );
  for await (const { workflowId, error } of results)
    if (error) throw new Error(`the history of ${workflowId} does not replay`, { cause: error });
}

type Histories = ReturnType<ReturnType<System['client']['workflow']['list']>['intoHistories']>;
type Events = { events?: { workflowTaskCompletedEventAttributes?: object | null }[] | null };

/** Leaves out the runs that no worker took up: there is nothing to replay, and the replayer would wait for it for ever. */
async function* begun(histories: Histories): Histories {
  for await (const run of histories)
    if ((run.history as Events).events?.some((event) => event.workflowTaskCompletedEventAttributes)) yield run;
}

/** Replays an order's history as it is now; with KEEP_HISTORIES=1 it is kept under this name, to be replayed for ever. */
export async function replay({ client, bundle }: Pick<System, 'client' | 'bundle'>, id: OrderId, name: string) {
  const history = await client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: bundle }, history, orderWorkflowId(id));
  if (process.env['KEEP_HISTORIES'] !== '1') return;
  mkdirSync(HISTORIES, { recursive: true });
  const kept = { workflowId: orderWorkflowId(id), history: JSON.parse(historyToJSON(history)) as unknown };
  writeFileSync(path.join(HISTORIES, `${name}.json`), `${JSON.stringify(kept, null, 1)}\n`);
}
