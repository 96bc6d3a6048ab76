import { readFileSync } from 'node:fs';
import type { WorkflowBundle } from '@temporalio/worker';

/** The workflows' code as this test run bundled it. @param file `inject('workflowBundle')` */
export const readBundle = (file: string): WorkflowBundle => JSON.parse(readFileSync(file, 'utf8')) as WorkflowBundle;
