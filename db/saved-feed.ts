import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { SAVED_CHANNEL } from './save.ts';

/**
 * Tells when an order was saved, by whichever process. It may miss a save while its connection is away, so whoever
 * waits also looks for himself now and then.
 */
export type SavedFeed = {
  /** @returns how to end it */
  subscribe(order: string, listener: () => void): () => void;
  /** Until the order is saved, the time is over, or `signal` says so. */
  waitFor(order: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
};

type Listeners = Map<string, Set<() => void>>;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Listens on a connection of its own, and connects again for as long as it takes. */
export function createSavedFeed(url: string, log?: Pick<Logger, 'warn'>): SavedFeed {
  const listeners: Listeners = new Map();
  const connection = keepListening(url, log, (order) => tell(listeners, order));
  const subscribe = (order: string, listener: () => void) => add(listeners, order, listener);
  return {
    subscribe,
    waitFor: (order, timeoutMs, signal) => waitFor(subscribe, order, timeoutMs, signal),
    stop: () => connection.stop(),
  };
}

function add(listeners: Listeners, order: string, listener: () => void): () => void {
  const mine = () => listener();
  const all = listeners.get(order) ?? new Set();
  listeners.set(order, all.add(mine));
  return () => {
    all.delete(mine);
    if (all.size === 0 && listeners.get(order) === all) listeners.delete(order);
  };
}

/** @param order null: something may have been missed, so everybody looks */
function tell(listeners: Listeners, order: string | null): void {
  const told = order === null ? [...listeners.values()] : [listeners.get(order) ?? new Set<() => void>()];
  for (const listener of told.flatMap((some) => [...some])) listener();
}

function waitFor(
  subscribe: SavedFeed['subscribe'],
  order: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      unsubscribe();
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const unsubscribe = subscribe(order, end);
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}

/** One connection at a time; a lost one is replaced, with growing pauses. */
function keepListening(
  url: string,
  log: Pick<Logger, 'warn'> | undefined,
  onSaved: (order: string | null) => void,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let pauseMs = FIRST_PAUSE_MS;
  const listening = (async () => {
    while (!signal.aborted) {
      const trouble = await listen(url, signal, onSaved, () => (pauseMs = FIRST_PAUSE_MS));
      if (signal.aborted) return;
      log?.warn({ trouble, pauseMs }, 'not told of saves at the moment: the database is away');
      await sleep(pauseMs, null, { signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  })();
  return {
    stop() {
      stopping.abort();
      return listening;
    },
  };
}

/** Listens until the connection ends. @returns how it ended */
async function listen(
  url: string,
  signal: AbortSignal,
  onSaved: (order: string | null) => void,
  onReady: () => void,
): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1500, keepAlive: true });
  const ended = new Promise<string>((resolve) => {
    client.on('error', ({ message }) => resolve(message));
    client.on('end', () => resolve('the connection ended'));
    signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  client.on('notification', ({ payload }) => onSaved(payload?.split(' ')[0] ?? null));
  try {
    await client.connect();
    await client.query(`listen ${SAVED_CHANNEL}`);
    onReady();
    onSaved(null); // What was saved meanwhile nobody has told.
    return await ended;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown';
  } finally {
    await client.end().catch(() => {});
  }
}
