import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../start/ports.ts';
import { temporaryFolder, until } from './support.ts';

const ROOT = join(import.meta.dirname, '..', '..');

async function freeEnvironment(): Promise<Record<string, string | undefined>> {
  const [PORT, SIMULATOR_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT] = await Promise.all(
    Array.from({ length: 4 }, async () => String(await freePort())),
  );
  return { ...process.env, DATA_DIR: temporaryFolder(), PORT, SIMULATOR_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT };
}

/** What `npm start` runs. */
function run(env: Record<string, string | undefined>): { main: ChildProcess; said: () => string } {
  const main = spawn(process.execPath, ['--import', 'tsx', 'start/main.ts'], { cwd: ROOT, env });
  onTestFinished(() => void main.kill('SIGKILL'));
  let text = '';
  for (const stream of [main.stdout, main.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return { main, said: () => text };
}

it('survives a kill -9: the next run ends what was left, goes on, and stops in order', async () => {
  const env = await freeEnvironment();
  const first = run(env);
  await until(() => first.said().includes('Ctrl-C stops it'), 60_000);
  first.main.kill('SIGKILL');
  await once(first.main, 'exit');
  const second = run(env);
  await until(() => second.said().includes('Ctrl-C stops it'), 60_000);
  expect(second.said()).toMatch(/Ending postgres \(process \d+\), left behind/);
  expect(second.said()).toMatch(/Ending temporal \(process \d+\), left behind/);
  expect(second.said()).not.toContain('Making a PostgreSQL database');
  const metrics = await (await fetch(`http://127.0.0.1:${env['PORT']}/metrics`)).text();
  for (const name of ['orders_in_attention', 'orders_provider_call_duration_seconds', 'temporal_num_pollers'])
    expect(metrics).toContain(`\n# TYPE ${name} `);
  second.main.kill('SIGINT');
  second.main.kill('SIGINT'); // As npm passes it on.
  expect(await once(second.main, 'exit')).toEqual([0, null]);
  expect(second.said()).toMatch(/Stopped\.\n$/);
  expect(readdirSync(join(env['DATA_DIR']!, 'run'))).toEqual([]);
});

it('starts nothing with a bad configuration', async () => {
  const env = await freeEnvironment();
  const { main, said } = run({ ...env, PORT: 'http' });
  expect(await once(main, 'exit')).toEqual([1, null]);
  expect(said().trim()).toBe('PORT is "http": a port is a whole number from 1 to 65535.');
  expect(readdirSync(env['DATA_DIR']!)).toEqual([]);
});
