import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { readBundle } from '../support/bundle.ts';
import { HISTORIES } from '../support/histories.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const bundle = readBundle(inject('workflowBundle'));
const files = readdirSync(HISTORIES).filter((name) => name.endsWith('.json'));

/** Workflow code changes only so that every order that was ever opened can go on. */
describe('the workflow code still fits', () => {
  it('at least one history of each path', () => expect(files.length).toBeGreaterThanOrEqual(13));
  it.each(files)('%s', async (file) => {
    const { workflowId, history } = JSON.parse(readFileSync(path.join(HISTORIES, file), 'utf8')) as {
      workflowId: string;
      history: unknown;
    };
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
  });
});
