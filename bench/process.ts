/** The measured system as its own process, and how we speak to it. */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statement } from './statements.ts';

/** What the process can be told to do; `child.ts` does it. */
export type Calls = {
  /** @returns the API's URL */
  start(servers: { databaseUrl: string; temporalAddress: string }): Promise<string>;
  takeStatements(): Promise<Statement[]>;
  /** @returns the workflow ids */
  runBare(count: number, limit: number): Promise<string[]>;
  stop(): Promise<void>;
};
export type Call = { [N in keyof Calls]: { id: number; name: N; args: Parameters<Calls[N]> } }[keyof Calls];
export type Answer = { id: number; result?: unknown; error?: string };

export type SystemProcess = Calls & {
  /** Rejected when it ends without having been asked to. */
  ended: Promise<never>;
};

const STOP_WITHIN_MS = 15_000;

export function forkSystem(): SystemProcess {
  // What it prints goes where our own progress goes: standard output is for the result alone.
  const child = fork(path.resolve(import.meta.dirname, 'child.ts'), { stdio: ['ignore', 2, 2, 'ipc'] });
  const ask = asker(child);
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the system's process has ended (${signal ?? code})`)));
  });
  ended.catch(() => {});
  return {
    ended,
    start: (servers) => Promise.race([ask<string>('start', servers), ended]),
    takeStatements: () => Promise.race([ask<Statement[]>('takeStatements'), ended]),
    runBare: (count, limit) => Promise.race([ask<string[]>('runBare', count, limit), ended]),
    async stop() {
      const late = sleep(STOP_WITHIN_MS, undefined, { ref: false });
      await Promise.race([ask('stop'), ended, late]).catch(() => {});
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}

/** Calls are numbered, so that their answers may come in any order. */
function asker(child: ChildProcess) {
  const waiting = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return <T>(name: Call['name'], ...args: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = calls++;
      waiting.set(id, ({ result, error }) => (error === undefined ? resolve(result as T) : reject(new Error(error))));
      child.send({ id, name, args }, (failed) => failed && reject(failed));
    });
}
