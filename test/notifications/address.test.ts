import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAllowed, type Resolve } from '../../notifications/address.ts';
import { post } from '../../notifications/post.ts';
import { retryAfterMs } from '../../wire/retry-after.ts';

let server: Server;
let port: number;
let calls = 0;
beforeAll(async () => {
  server = createServer((_, response) => {
    calls++;
    response.writeHead(200);
    response.end('x'.repeat(1_000_000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

const answers =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

describe('which addresses are called', () => {
  it.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'])('%s', (address) =>
    expect(isAllowed(address, false)).toBe(true),
  );
  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ])('never %s', (address) => expect([isAllowed(address, false), isAllowed(address, true)]).toEqual([false, false]));
  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('%s only in the embedded mode', (address) =>
    expect([isAllowed(address, false), isAllowed(address, true)]).toEqual([false, true]),
  );
});

describe('a call', () => {
  it('goes to the address that was checked', async () => {
    const before = calls;
    const url = `http://shop.example:${port}/`;
    expect((await post(url, {}, '{}', { allowLoopback: true, resolve: answers('127.0.0.1') })).status).toBe(200);
    expect(calls).toBe(before + 1);
  });
  it.each([
    ['written as it is', 'http://127.0.0.1', answers('93.184.215.14')],
    ['written as a number', 'http://2130706433', answers('93.184.215.14')],
    ['written as IPv6', 'http://[::ffff:127.0.0.1]', answers('93.184.215.14')],
    ['by DNS', 'http://shop.example', answers('127.0.0.1')],
    ['as one of several', 'http://shop.example', answers('93.184.215.14', '127.0.0.1')],
  ])('never goes to a forbidden address, %s', async (_, host, resolve) => {
    const before = calls;
    await expect(post(`${host}:${port}/`, {}, '{}', { allowLoopback: false, resolve })).rejects.toThrow(
      'not an address on the public internet',
    );
    expect(calls).toBe(before);
  });
});

it('reads Retry-After as seconds or as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(['120', 'Thu, 01 Jan 2026 00:01:00 GMT', '-1 s', '99999999'].map((text) => retryAfterMs(text, now))).toEqual([
    120_000,
    60_000,
    undefined,
    86_400_000,
  ]);
});
