import pg from 'pg';
import { SAVED_CHANNEL } from '../db/save.ts';

/** Which orders were saved, and in which version: heard from outside, without a statement of the system's own. */
export type Saves = {
  /** The newest version that was heard of; 0: none yet. */
  versionOf(order: string): number;
  /** @throws if the order isn't saved in that version within ten seconds */
  until(order: string, version: number): Promise<void>;
  stop(): Promise<void>;
};

const PATIENCE_MS = 10_000;

export async function listenForSaves(databaseUrl: string): Promise<Saves> {
  const versions = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  const db = new pg.Client({ connectionString: databaseUrl });
  db.on('error', () => {}); // Whoever waits will say so.
  db.on('notification', ({ payload = '' }) => {
    const [order = '', version] = payload.split(' ');
    versions.set(order, Number(version));
    waiting.get(order)?.();
  });
  await db.connect();
  await db.query(`listen ${SAVED_CHANNEL}`);
  const versionOf = (order: string) => versions.get(order) ?? 0;
  return {
    versionOf,
    async until(order, version) {
      const end = Date.now() + PATIENCE_MS;
      while (versionOf(order) < version) {
        if (Date.now() >= end)
          throw new Error(`order ${order} is saved in version ${versionOf(order)}, and not in ${version}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, end - Date.now());
          waiting.set(order, () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      waiting.delete(order);
    },
    stop: () => db.end(),
  };
}
