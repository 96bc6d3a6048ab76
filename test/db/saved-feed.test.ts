import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../db/connect.ts';
import { createSavedFeed, type SavedFeed } from '../../db/saved-feed.ts';
import { SAVED_CHANNEL } from '../../db/save.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let feed: SavedFeed;
beforeAll(async () => {
  database = await freshDatabase();
  db = connect(database.url);
  feed = createSavedFeed(database.url);
  await feed.waitFor('nobody', 2_000); // Everybody is told once it listens.
});
afterAll(async () => {
  await feed.stop();
  await db.destroy();
  await database.drop();
});

const save = (order: string) => sql`select pg_notify(${SAVED_CHANNEL}, ${`${order} 7`})`.execute(db);
const lasted = async (wait: Promise<void>): Promise<number> => {
  const began = Date.now();
  await wait;
  return Date.now() - began;
};

describe('who waits for an order', () => {
  it('is told when it is saved, and not of others', async () => {
    const waiting = Promise.all([lasted(feed.waitFor('ord_a', 3_000)), lasted(feed.waitFor('ord_b', 300))]);
    await save('ord_a');
    const [mine, other] = await waiting;
    expect(mine).toBeLessThan(250);
    expect(other).toBeGreaterThanOrEqual(295);
  });

  it('may leave', async () => {
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 20);
    expect(await lasted(feed.waitFor('ord_a', 3_000, leaving.signal))).toBeLessThan(1_000);
    expect(await lasted(feed.waitFor('ord_a', 3_000, leaving.signal))).toBeLessThan(100);
  });

  it('is told each time, until it unsubscribes', async () => {
    let told = 0;
    const unsubscribe = feed.subscribe('ord_c', () => told++);
    await save('ord_c');
    await feed.waitFor('ord_c', 100);
    unsubscribe();
    await save('ord_c');
    await feed.waitFor('ord_c', 100);
    expect(told).toBe(1);
  });

  it('is told to look again after the connection was away', async () => {
    const waiting = lasted(feed.waitFor('ord_d', 5_000));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %'`.execute(db);
    expect(await waiting).toBeLessThan(2_000);
    const next = lasted(feed.waitFor('ord_d', 5_000));
    await save('ord_d');
    expect(await next).toBeLessThan(1_000);
  });
});
