import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import type { WorkflowBundle } from '@temporalio/worker';
import { TASK_QUEUE } from '../workflows/messages.ts';

const PATIENCE_MS = 20_000;

/** Names the folder that it was bundled in, which is no part of the code. */
const SOURCE_MAP = /\n\/\/# sourceMappingURL=[^\n]*\s*$/;

/** The workflow code itself names its version: the same code, the same build, wherever it lies. */
export function deploymentOf(bundle: WorkflowBundle, taskQueue = TASK_QUEUE): WorkerDeploymentVersion {
  return {
    deploymentName: taskQueue,
    buildId: createHash('sha256').update(bundle.code.replace(SOURCE_MAP, '')).digest('hex').slice(0, 16),
  };
}

/**
 * Makes this version the one that gets the tasks; without a current version the server gives none out. The server
 * knows a version only once a worker of it has polled, so this is tried until then.
 * @throws what the server said last
 */
export async function makeCurrent(client: Client, { deploymentName, buildId }: WorkerDeploymentVersion): Promise<void> {
  const { namespace } = client.options;
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      await client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId,
        version: `${deploymentName}.${buildId}`,
        ignoreMissingTaskQueues: true,
      });
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}
