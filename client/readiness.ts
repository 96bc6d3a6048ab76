import type { Client } from '@temporalio/client';
import { sql, type Kysely } from 'kysely';
import type { Database } from '../db/schema.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';

export type ReadyPart = { name: string; ready: boolean; detail?: string };

const WITHIN_MS = 1500;
/** A worker that has not asked for work for so long is gone. Milliseconds. */
const POLLED_WITHIN_MS = 2 * 60_000;

/** Whether everything that an order needs is there. @param simulatorUrl null where there is none */
export async function readiness(
  db: Kysely<Database>,
  client: Client,
  simulatorUrl: string | null,
  taskQueue = TASK_QUEUE,
): Promise<ReadyPart[]> {
  const checks: Promise<ReadyPart>[] = [
    check('database', async () => void (await sql`select 1`.execute(db))),
    check('temporal', () =>
      client.connection.withDeadline(
        Date.now() + WITHIN_MS,
        async () => void (await client.workflowService.getSystemInfo({})),
      ),
    ),
    check('worker', () => workerPolls(client, taskQueue)),
  ];
  if (simulatorUrl !== null) checks.push(check('simulator', () => answers(simulatorUrl)));
  return Promise.all(checks);
}

async function check(name: string, look: () => Promise<void>): Promise<ReadyPart> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), WITHIN_MS);
  });
  try {
    await Promise.race([look(), late]);
    return { name, ready: true };
  } catch (error) {
    return { name, ready: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

const WORKFLOW_TASKS = 1;

async function workerPolls(client: Client, taskQueue: string): Promise<void> {
  const { namespace } = client.options;
  const { pollers } = await client.connection.withDeadline(Date.now() + WITHIN_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TASKS,
    }),
  );
  const polled = (pollers ?? []).some(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLED_WITHIN_MS,
  );
  if (!polled) throw new Error('no worker asks for work');
}

async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) });
  if (!response.ok) throw new Error(`answers ${response.status}`);
}

const PATIENCE_MS = 3_000;

/** Who asks for readiness wants an answer, not patience. */
export async function inTime(ready: () => Promise<ReadyPart[]>): Promise<ReadyPart[]> {
  const tooLong = new Promise<ReadyPart[]>((resolve) =>
    setTimeout(() => resolve([{ name: 'checks', ready: false, detail: 'took too long' }]), PATIENCE_MS).unref(),
  );
  return Promise.race([ready(), tooLong]).catch(() => [{ name: 'checks', ready: false, detail: 'failed' }]);
}

/** As `/readyz` tells it. */
export const summedUp = (found: readonly ReadyPart[]) => ({
  isReady: found.every(({ ready }) => ready),
  parts: Object.fromEntries(found.map(({ name, ready, detail }) => [name, { ready, detail: detail ?? null }])),
});
