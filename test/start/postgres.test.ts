import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { signalProcess, startTimeOf } from '../../start/identity.ts';
import { startPostgres, type Postgres } from '../../start/postgres.ts';
import { listener, temporaryFolder, until } from './support.ts';

/** One for all tests here, in their order: making the data is what takes long. */
const dataDir = mkdtempSync(join(tmpdir(), 'durable-orders-start-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function started(told = listener()): Promise<Postgres> {
  const postgres = await startPostgres({ dataDir, durable: false, progress: told.progress });
  onTestFinished(() => postgres.stop());
  return postgres;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const db = new pg.Client({ connectionString: url });
  db.on('error', () => {}); // It may be cut off by the end of the server.
  try {
    await db.connect();
    return (await db.query(text)).rows as unknown[];
  } finally {
    await db.end();
  }
}

function postmasterOf(): number {
  return parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10);
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data, stops when asked, and says what takes long only once', async () => {
    const { told, progress } = listener();
    const first = await started({ told, progress });
    await query(first.url, "create table t (word text); insert into t values ('grün')");
    await first.stop();
    expect(await first.exited).toBe('exit code 0');
    expect(readdirSync(join(dataDir, 'run'))).toEqual([]);
    const again = await started({ told, progress });
    expect(await query(again.url, 'select word, upper(word) from t')).toEqual([{ word: 'grün', upper: 'GRÜN' }]);
    expect(told).toEqual(['Making a PostgreSQL database']);
  });

  it('is closed to whoever has no password', async () => {
    const { url } = await started();
    for (const secret of ['', 'wrong']) {
      const other = new URL(url);
      other.password = secret;
      await expect(query(other.href, 'select 1')).rejects.toThrow(/password/i);
    }
    expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    await expect(query(url, "copy t from '/etc/passwd'")).rejects.toThrow();
    await expect(query(url, "select pg_read_file('/etc/passwd')")).rejects.toThrow('permission denied');
  });

  it('starts again after it was killed, even while it was at work', async () => {
    const first = await started();
    await query(first.url, 'create table numbers (n int)');
    const work = query(first.url, 'insert into numbers select generate_series(1, 1000000)').catch(() => []);
    await new Promise((resolve) => setTimeout(resolve, 200));
    signalProcess(postmasterOf(), 'SIGKILL');
    expect(await first.exited).toBe('signal SIGKILL');
    const again = await started();
    await work;
    expect(await query(again.url, 'select count(*)::int as n from numbers')).toEqual([{ n: 0 }]);
  });

  it('takes over from a server that was left behind without a pid file of ours', async () => {
    const left = await started();
    const { told, progress } = listener();
    const pid = postmasterOf();
    const again = await started({ told, progress });
    expect(await left.exited).toBe('exit code 0');
    expect(told).toEqual([`Ending PostgreSQL (process ${pid}), left behind by a run that was killed`]);
    expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is not kept out by a pid file that names another process by now, and leaves that one alone', async () => {
    await (await started()).stop();
    writeFileSync(
      join(dataDir, 'postgres', 'postmaster.pid'),
      `${process.pid}\n${join(dataDir, 'postgres')}\n1\n1\n\n\n`,
    );
    const again = await started();
    expect(await query(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(startTimeOf(process.pid)).not.toBeNull();
  });

  it('makes its data anew after a start that was called off', async () => {
    const dataDir = temporaryFolder();
    const stop = new AbortController();
    const starting = startPostgres({ dataDir, durable: false, progress: () => {}, signal: stop.signal });
    await until(() => readdirSync(dataDir).includes('postgres.new'));
    stop.abort();
    await expect(starting).rejects.toThrow('stopped during start-up');
    await (await startPostgres({ dataDir, durable: false, progress: () => {} })).stop();
  });
});
