import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { identify, isRunning, signalProcess, startTimeOf } from '../../start/identity.ts';
import { readLogSince } from '../../start/log-file.ts';
import { endLeftChildren, runChild, spawnChild, type ChildSpec } from '../../start/processes.ts';
import { listener, temporaryFolder, until } from './support.ts';

function shell(folder: string, script: string): ChildSpec {
  return {
    name: 'helper',
    command: 'sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] },
    runDir: join(folder, 'run'),
    logFile: join(folder, 'logs', 'helper.log'),
    ending: { gentle: 'SIGINT', force: 'SIGKILL', patienceMs: 300 },
  };
}

/** Ignores the gentle signal, and has a child of its own. */
const STUBBORN = "trap '' INT; echo ready; sleep 60 & wait; sleep 60";

it('knows a process by its id and start, so that a reused id is another process', () => {
  const me = identify(process.pid)!;
  expect(isRunning(me)).toBe(true);
  expect(isRunning({ ...me, started: 'another time' })).toBe(false);
});

it('takes a zombie for gone', async () => {
  const child = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 5'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const zombie = Number(String((await once(child.stdout, 'data'))[0]));
  await until(() => startTimeOf(zombie) === null);
  expect(() => process.kill(zombie, 0)).not.toThrow();
});

it('says how a child ended, and keeps what it printed', async () => {
  const folder = temporaryFolder();
  const child = await spawnChild(shell(folder, 'echo some words; exit 3'));
  expect(await child.exited).toBe('exit code 3');
  expect(child.hasExited()).toBe(true);
  expect(readLogSince(join(folder, 'logs', 'helper.log'), 0)).toBe('some words');
  expect(existsSync(join(folder, 'run', 'helper.pid'))).toBe(false);
});

it('names a command that cannot be run', async () => {
  const spec = { ...shell(temporaryFolder(), ''), command: '/no/such/program' };
  await expect(spawnChild(spec)).rejects.toThrow("helper: /no/such/program can't be run");
});

it('forces a child that does not listen, with all its group', async () => {
  const folder = temporaryFolder();
  const child = await spawnChild(shell(folder, STUBBORN));
  await until(() => readLogSince(join(folder, 'logs', 'helper.log'), 0) === 'ready');
  await child.stop();
  expect(await child.exited).toBe('signal SIGKILL');
  await child.stop();
});

it('starts a child in a group of its own, where a Ctrl-C does not reach it', async () => {
  const folder = temporaryFolder();
  const child = await spawnChild(shell(folder, 'exec sleep 60'));
  expect(() => process.kill(-child.pid, 0)).not.toThrow();
  await child.stop();
  expect(await child.exited).toBe('signal SIGINT');
});

it('calls a command off', async () => {
  const stop = new AbortController();
  const running = runChild(shell(temporaryFolder(), 'exec sleep 60'), stop.signal);
  stop.abort();
  await expect(running).rejects.toThrow('stopped during start-up');
});

it('ends what a killed run left behind, and nothing else', async () => {
  const folder = temporaryFolder();
  const [run, log] = [join(folder, 'run'), join(folder, 'logs', 'helper.log')];
  const left = await spawnChild(shell(folder, STUBBORN));
  await until(() => readLogSince(log, 0) === 'ready');
  const pidFile = JSON.parse(readFileSync(join(run, 'helper.pid'), 'utf8')) as Record<string, unknown>;
  const stranger = spawn('sleep', ['60']);
  onTestFinished(() => signalProcess(stranger.pid!, 'SIGKILL'));
  writeFileSync(join(run, 'reused.pid'), JSON.stringify({ ...pidFile, pid: stranger.pid, started: 'some other time' }));
  writeFileSync(join(run, 'cut.pid'), '{"pid": 1');

  const { told, progress } = listener();
  await endLeftChildren(run, progress);
  expect(await left.exited).toBe('signal SIGKILL');
  expect(told).toEqual([`Ending helper (process ${left.pid}), left behind by a run that was killed`]);
  expect(startTimeOf(stranger.pid!)).not.toBeNull();
  for (const name of ['helper', 'reused', 'cut']) expect(existsSync(join(run, `${name}.pid`))).toBe(false);
});
