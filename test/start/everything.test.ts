import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { banner } from '../../start/banner.ts';
import { readConfig, type Config } from '../../start/config.ts';
import { startEverything, type Everything, type StartOptions } from '../../start/everything.ts';
import { signalProcess } from '../../start/identity.ts';
import { isLocked } from '../../start/lock.ts';
import type { Parts } from '../../start/parts.ts';
import { freePort } from '../../start/ports.ts';
import { listener, temporaryFolder } from './support.ts';

/** One for all tests here: only the first makes the database. */
const dataDir = mkdtempSync(join(tmpdir(), 'durable-orders-start-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function freeConfig(): Promise<Config> {
  const [PORT, SIMULATOR_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT] = await Promise.all(
    Array.from({ length: 4 }, async () => String(await freePort())),
  );
  return readConfig({ DATA_DIR: dataDir, PORT, SIMULATOR_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT });
}

/** Parts that only tell when they are started and stopped. */
function recorded(): { happened: string[]; parts: Parts } {
  const happened: string[] = [];
  const part = (name: string) => async () => {
    happened.push(`+${name}`);
    return { stop: async () => void happened.push(`-${name}`) };
  };
  const prepareDatabase = async () => void happened.push('database');
  return {
    happened,
    parts: { prepareDatabase, simulator: part('simulator'), worker: part('worker'), api: part('api') },
  };
}

async function begin(change: Partial<StartOptions> = {}): Promise<Everything> {
  const config = await freeConfig();
  const { parts } = recorded();
  const always = { env: process.env, progress: () => {}, durable: false, signal: new AbortController().signal };
  const everything = await startEverything({ ...always, config, parts, ...change });
  onTestFinished(() => everything.stop());
  return everything;
}

function expectNothingLeft(): void {
  expect(readdirSync(join(dataDir, 'run'))).toEqual([]);
  expect(isLocked(dataDir)).toBe(false);
}

const pidOf = (name: string) =>
  (JSON.parse(readFileSync(join(dataDir, 'run', `${name}.pid`), 'utf8')) as { pid: number }).pid;

it('starts everything in order, stops it in the opposite one, and comes back with the same keys', async () => {
  const config = await freeConfig();
  const { happened, parts } = recorded();
  const first = await begin({ config, parts });
  expect(isLocked(dataDir)).toBe(true);
  expect(banner(first.around)).toContain(`Temporal UI    http://localhost:${config.temporalUiPort}`);
  expect((await fetch(`http://localhost:${config.temporalUiPort}`)).status).toBe(200);
  await first.stop();
  expect(happened).toEqual(['database', '+simulator', '+worker', '+api', '-api', '-worker', '-simulator']);
  expectNothingLeft();
  const again = await begin({ config });
  expect(again.around.keys).toEqual(first.around.keys);
  await again.stop();
});

it('stops what it started when a part fails', async () => {
  const config = await freeConfig();
  const { happened, parts } = recorded();
  const worker = () => Promise.reject(new Error('no bundle'));
  await expect(begin({ config, parts: { ...parts, worker } })).rejects.toThrow('no bundle');
  expect(happened).toEqual(['database', '+simulator', '-simulator']);
  expectNothingLeft();
});

it('starts nothing while a port is taken, and says when a server has ended by itself', async () => {
  const config = await freeConfig();
  const first = await begin({ config });
  const second = { ...config, dataDir: temporaryFolder() };
  await expect(begin({ config: second })).rejects.toThrow(
    `Port ${config.temporalPort} is taken by another program. End that program, or choose another port with TEMPORAL_PORT.`,
  );
  expect(existsSync(join(second.dataDir, 'postgres'))).toBe(false);
  signalProcess(pidOf('temporal'), 'SIGKILL');
  expect(await first.broken).toBe('Temporal has ended by itself (signal SIGKILL)');
  await first.stop();
});

it('is called off while the servers start', async () => {
  const config = await freeConfig();
  const stop = new AbortController();
  const { happened, parts } = recorded();
  const progress = (text: string) => void (text === 'Starting Temporal' && stop.abort());
  await expect(begin({ config, parts, progress, signal: stop.signal })).rejects.toThrow('stopped during start-up');
  expect(happened).toEqual([]);
  expectNothingLeft();
});

it('says what is wrong with a server of somebody else', async () => {
  const config = await freeConfig();
  const port = await freePort();
  const env = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
  const { told, progress } = listener();
  const change = { config: { ...config, hasTemporal: true }, env, progress };
  await expect(begin(change)).rejects.toThrow(`Temporal at 127.0.0.1:${port} (TEMPORAL_ADDRESS), namespace default: `);
  expect(told).not.toContain('Starting Temporal');
  expectNothingLeft();
});
