/** The Temporal development server, with its UI and a database file, run on a data folder of ours. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { goOn, messageOf, StartError, type Progress } from './failure.ts';
import { readLogSince, sizeOf } from './log-file.ts';
import { spawnChild, type Child, type Ending } from './processes.ts';
import { missingSearchAttributes, SEARCH_ATTRIBUTES } from './search-attributes.ts';

export type TemporalOptions = {
  /** The program, as `findTemporal` found it. */
  binary: string;
  /** For its log, its pid file, and its database, unless `inMemory`. */
  dataDir: string;
  inMemory?: boolean;
  port: number;
  /** No UI when null. */
  uiPort: number | null;
  progress: Progress;
  signal?: AbortSignal | undefined;
};

export type TemporalServer = {
  /** host:port */
  address: string;
  uiUrl: string | null;
  /** Settles with how it ended, in words, whoever ended it. */
  exited: Promise<string>;
  stop(): Promise<void>;
  /** As when the power fails. */
  kill(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;
const NAMESPACE = 'default';
const ENDING: Ending = { gentle: 'SIGINT', force: 'SIGKILL', patienceMs: 5_000 };
/** What is only in memory needs no care. */
const END_AT_ONCE: Ending = { gentle: 'SIGKILL', force: 'SIGKILL', patienceMs: 1_000 };

/**
 * Starts the server on 127.0.0.1 and waits until it answers and knows our search attributes.
 * @throws StartError with what it said; StoppedEarly.
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  goOn(options.signal);
  options.progress('Starting Temporal');
  const logFile = join(options.dataDir, 'logs', 'temporal.log');
  const logged = sizeOf(logFile);
  const child = await spawnServer(options, logFile);
  const address = `127.0.0.1:${options.port}`;
  const trouble = await untilReady(child, options, address);
  if (trouble) {
    await child.stop();
    goOn(options.signal);
    throw new StartError(
      `Temporal did not start (${trouble}). It said, in ${logFile}:\n${readLogSince(logFile, logged)}`,
    );
  }
  const uiUrl = options.uiPort === null ? null : `http://localhost:${options.uiPort}`;
  return { address, uiUrl, exited: child.exited, stop: () => child.stop(), kill: () => child.kill() };
}

function spawnServer(options: TemporalOptions, logFile: string): Promise<Child> {
  return spawnChild({
    name: 'temporal',
    command: options.binary,
    args: ['server', 'start-dev', ...flags(options)],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'] },
    runDir: join(options.dataDir, 'run'),
    logFile,
    ending: options.inMemory ? END_AT_ONCE : ENDING,
  });
}

/**
 * A query that a worker gets together with a workflow task may end that task between the end of a local activity and its
 * being told to the workflow (SDK 1.24): what comes meanwhile is told first, but not in a replay, so that the order gets
 * stuck. Docs: docs/adr/0025-queries.md.
 */
const NO_QUERY_MEETS_A_TASK = 'history.MaxBufferedQueryCount=0';

function flags({ inMemory, dataDir, port, uiPort }: TemporalOptions): string[] {
  return [
    '--ip=127.0.0.1',
    `--port=${port}`,
    '--log-level=warn',
    '--log-format=json',
    `--dynamic-config-value=${NO_QUERY_MEETS_A_TASK}`,
    uiPort === null ? '--headless' : `--ui-port=${uiPort}`,
    ...SEARCH_ATTRIBUTES.map((name) => `--search-attribute=${name}=Keyword`),
    ...(inMemory ? [] : databaseFlags(join(dataDir, 'temporal'))),
  ];
}

/** Twice as fast as SQLite's defaults; nothing is lost when the server is killed (measured). */
function databaseFlags(folder: string): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = join(folder, 'temporal.db');
  return [`--db-filename=${database}`, '--sqlite-pragma=journal_mode=WAL', '--sqlite-pragma=synchronous=NORMAL'];
}

/** @returns what went wrong, or null when the server is ready. */
async function untilReady(child: Child, { port, signal }: TemporalOptions, address: string): Promise<string | null> {
  let trouble = 'no answer';
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await sleep(POLL_MS)) {
    if (child.hasExited()) return child.exited;
    if (signal?.aborted) return 'stopped';
    if (!(await isListening(port))) continue;
    try {
      await askForAttributes(address);
      return null;
    } catch (error) {
      trouble = messageOf(error);
    }
  }
  return trouble;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function askForAttributes(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
      const missing = await missingSearchAttributes(connection, NAMESPACE);
      if (missing.length > 0) throw new Error(`search attributes are missing: ${missing.join(', ')}`);
    });
  } finally {
    await connection.close();
  }
}
