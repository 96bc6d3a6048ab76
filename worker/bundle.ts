import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

/** All workflow code in one file, as the worker runs it: the same for the same sources. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  const quiet = () => {};
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: console.error };
  const at = (file: string) => path.resolve(import.meta.dirname, file);
  return bundleWorkflowCode({
    workflowsPath: at('../workflows/index.ts'),
    payloadConverterPath: at('../workflows/payloads.ts'),
    workflowInterceptorModules: [at('../workflows/tracing.ts')],
    logger,
  });
}
