import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { inject } from 'vitest';
import type { System } from './system.ts';

/** A worker in a process of its own. `dead` once that has ended. */
export type DoomedWorker = { kill(): void; dead: Promise<unknown> };

/** @param last after which save it kills itself (0: none) @param slowMs see doomed-worker.ts */
export async function startDoomed(system: System, last: number, slowMs = 0): Promise<DoomedWorker> {
  const script = path.resolve(import.meta.dirname, 'doomed-worker.ts');
  const place = [inject('temporalAddress'), system.databaseUrl, system.taskQueue, inject('workflowBundle')];
  const args = ['--import', 'tsx', script, ...place, String(last), String(slowMs)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const dead = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), dead.then(() => Promise.reject(new Error('the worker died early')))]);
  return { kill: () => void child.kill('SIGKILL'), dead };
}
