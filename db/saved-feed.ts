import pg from 'pg';
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
export function createSavedFeed(url: string): SavedFeed {
  const listeners: Listeners = new Map();
  const connection = keepListening(url, (order) => tell(listeners, order));
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
function keepListening(url: string, onSaved: (order: string | null) => void): { stop(): Promise<void> } {
  let stopped = false;
  let pauseMs = FIRST_PAUSE_MS;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  const again = () => {
    client = null;
    if (stopped) return;
    timer = setTimeout(connect, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  };
  const connect = () => {
    const mine = (client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1500, keepAlive: true }));
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      mine.end().catch(() => {});
      again();
    };
    mine.on('error', over).on('end', over);
    mine.on('notification', ({ payload }) => onSaved(payload?.split(' ')[0] ?? null));
    mine
      .connect()
      .then(() => mine.query(`listen ${SAVED_CHANNEL}`))
      .then(() => {
        pauseMs = FIRST_PAUSE_MS;
        onSaved(null);
      })
      .catch(over);
  };
  connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
