import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { identify } from '../../start/identity.ts';
import { isLocked, lockFolder, type LockOptions } from '../../start/lock.ts';
import { listener, temporaryFolder } from './support.ts';

const options = (waitMs: number, progress: LockOptions['progress'] = () => {}): LockOptions => ({
  what: 'The data folder',
  waitMs,
  progress,
});

function heldBySomebody(folder: string): number {
  const holder = spawn('sleep', ['60']);
  onTestFinished(() => void holder.kill('SIGKILL'));
  writeFileSync(join(folder, 'lock'), JSON.stringify(identify(holder.pid!)));
  return holder.pid!;
}

function leftByTheDead(folder: string): void {
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: spawnSync('true').pid, started: '1' }));
}

it('waits, says so once, and then names the process', async () => {
  const folder = temporaryFolder();
  const pid = heldBySomebody(folder);
  const { told, progress } = listener();
  await expect(lockFolder(folder, options(500, progress))).rejects.toThrow(
    `The data folder ${folder} is still in use by process ${pid} after 1 s. End that process first`,
  );
  expect(told).toEqual([`The data folder is in use by process ${pid}: waiting for it to end`]);
});

it('goes on as soon as the other has ended', async () => {
  const folder = temporaryFolder();
  const pid = heldBySomebody(folder);
  const taking = lockFolder(folder, options(10_000));
  await sleep(300);
  process.kill(pid, 'SIGKILL');
  (await taking)();
  expect(isLocked(folder)).toBe(false);
});

it('is called off while it waits', async () => {
  const folder = temporaryFolder();
  heldBySomebody(folder);
  const stop = new AbortController();
  const taking = lockFolder(folder, { ...options(10_000), signal: stop.signal });
  stop.abort();
  await expect(taking).rejects.toThrow('stopped during start-up');
});

it.each([
  ['whose process is gone', leftByTheDead],
  ['that a crash cut short', (folder: string) => writeFileSync(join(folder, 'lock'), '')],
])('breaks a lock %s', async (_, leave) => {
  const folder = temporaryFolder();
  leave(folder);
  (await lockFolder(folder, options(5_000)))();
});

it('is not kept out by one who was killed while breaking a lock', async () => {
  const folder = temporaryFolder();
  leftByTheDead(folder);
  const guard = join(folder, 'lock.breaking');
  mkdirSync(guard);
  utimesSync(guard, 0, 0);
  (await lockFolder(folder, options(5_000)))();
});

it('lets in one at a time, however many find a dead lock', async () => {
  const folder = temporaryFolder();
  leftByTheDead(folder);
  let [inside, most, done] = [0, 0, 0];
  const visit = async () => {
    const unlock = await lockFolder(folder, options(20_000));
    most = Math.max(most, ++inside);
    await sleep(10);
    inside--;
    done++;
    unlock();
  };
  await Promise.all(Array.from({ length: 5 }, visit));
  expect({ most, done }).toEqual({ most: 1, done: 5 });
});
