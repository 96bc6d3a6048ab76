import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { KeptRunning } from '../../chaos/kept-running.ts';
import { leaksIn } from '../../chaos/leaks.ts';
import { planOf } from '../../chaos/plan.ts';
import { openShop } from '../../chaos/shop.ts';
import { pickUp } from '../../chaos/story.ts';

/** What a run notices while it is under way. */

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function shopAt(answer: RequestListener, outage: number | null = null) {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return openShop(url, new AbortController().signal, () => outage, {
    outageMs: 200,
    turnedAwayMs: 1_000,
    answerMs: 2_000,
  });
}

/** Each request in turn; the last answer for all that follow. */
const inTurn = (...answers: RequestListener[]): RequestListener => {
  let count = 0;
  return (request, response) => answers[Math.min(count++, answers.length - 1)]!(request, response);
};
const says =
  (status: number, code: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(JSON.stringify({ code }));
const AWAY = says(503, 'temporarily_unavailable', { 'retry-after': '2' });
const late =
  (ms: number): RequestListener =>
  (request, response) =>
    void setTimeout(AWAY, ms, request, response);
const DONE = says(200, 'done');

describe('a call', () => {
  it.each<[string, RequestListener, string[]]>([
    ['that is turned away and then answered is as it should be', AWAY, []],
    [
      'that is turned away late is not',
      late(1_200),
      [expect.stringMatching(/^GET \/v1\/orders answered 503 only after \d+ ms$/)],
    ],
    ['that hangs is not', () => {}, ['GET /v1/orders had no answer within 2000 ms']],
    [
      'that is turned away for no time is not',
      says(503, 'temporarily_unavailable'),
      ['GET /v1/orders answered 503 without Retry-After'],
    ],
    ['that fails is not', says(500, 'internal'), ['GET /v1/orders answered 500: {"code":"internal"}']],
    [
      'whose answer nobody can read is not',
      (_, response) => void response.end('<html>'),
      ['GET /v1/orders answered with what is no JSON'],
    ],
  ])('%s', async (_, first, improper) => {
    const shop = await shopAt(inTurn(first, DONE));
    expect((await shop.call('GET /v1/orders')).status).toBe(200);
    expect(shop.calls.improper).toEqual(improper);
  });
});

it.each([
  ['while a server is away is noticed', 1, 1],
  ['while both are there waits for a worker', null, 0],
])('a call that is turned away after a while %s', async (_, outage, count) => {
  const shop = await shopAt(inTurn(late(400), DONE), outage);
  await shop.call('GET /v1/orders');
  expect(shop.calls.improper).toHaveLength(count);
});

describe('a pick-up code that is redeemed twice at the same moment', () => {
  it.each<[string, RequestListener, string[]]>([
    ['opens once', inTurn(DONE, says(404, 'pickup_code_invalid')), []],
    ['opens twice, which is noticed', DONE, ['a pick-up code opened twice at machine 16000003']],
  ])('%s', async (_, answer, improper) => {
    const shop = await shopAt(answer);
    await pickUp(shop, planOf(7, 3), '482019375');
    expect(shop.calls.improper).toEqual(improper);
  });
});

const partOf = (folder: string, command: string, args: string[]) => ({
  name: 'part',
  command,
  args,
  env: {},
  runDir: folder,
  logFile: join(folder, 'part.log'),
  ending: { gentle: 'SIGTERM', force: 'SIGKILL', patienceMs: 5_000 } as const,
});

describe('a process that ends by itself', () => {
  it.each([
    ['while it had all that it needs is noticed', true],
    ['while a server was away is started again, and that is all', false],
  ])('%s', async (_, hasAll) => {
    const folder = mkdtempSync(join(tmpdir(), 'durable-orders-kept-'));
    const kept = new KeptRunning(partOf(folder, process.execPath, ['-e', 'process.exit(3)']), () => hasAll);
    onTestFinished(async () => {
      await kept.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await kept.start();
    while (kept.endedByItself < 2) await sleep(20);
    const noticed = 'part ended by itself (exit code 3) while both servers were up';
    expect(kept.endedWrongly.slice(0, 2)).toEqual(hasAll ? [noticed, noticed] : []);
  });

  it('and can not be started again is noticed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'durable-orders-kept-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const command = join(folder, 'once.sh');
    writeFileSync(command, '#!/bin/sh\nrm "$0"\n', { mode: 0o755 });
    const kept = new KeptRunning(partOf(folder, command, []), () => false);
    await kept.start();
    await expect
      .poll(() => kept.endedWrongly, { timeout: 5_000 })
      .toEqual([expect.stringMatching(/^part: .* can't be run/)]);
    await kept.stop();
  });
});

describe('a secret', () => {
  const SECRET = { what: 'an address', value: 'a+b@b.example' };
  const base64 = (before: string) => Buffer.from(`${before}${SECRET.value}, and more`).toString('base64');

  it.each([
    ['as it is', `to ${SECRET.value}.`],
    ['as in a URL', '?email=a%2Bb%40b.example&x=1'],
    ['in base64, at its start', base64('')],
    ['in base64, a byte later', base64('.')],
    ['in base64, two bytes later', base64('..')],
  ])('is found %s', (_, text) => {
    expect(leaksIn([{ where: 'a log', text }], [SECRET])).toEqual(['an address stands in a log']);
  });

  it('is found by nothing less', () => {
    expect(leaksIn([{ where: 'a log', text: `a+b@b.exampl ${base64('').slice(0, 14)}` }], [SECRET])).toEqual([]);
  });
});
