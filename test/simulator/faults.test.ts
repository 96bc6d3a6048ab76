import { once } from 'node:events';
import type { Server } from 'node:http';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBooks } from '../../simulator/books.ts';
import { Faults } from '../../simulator/faults.ts';
import { faulty } from '../../simulator/faulty.ts';
import type { Env } from '../../simulator/provider.ts';
import type { Simulator } from '../../simulator/server.ts';
import type { Json } from './support.ts';
import {
  call,
  control,
  endFaults,
  faults,
  nativeBody,
  opened,
  pay,
  query,
  refund,
  signedHeaders,
  simulator,
  wechatpayClient,
} from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator();
});
afterEach(() => endFaults(sim));
afterAll(() => sim.stop());

const NATIVE = '/v3/pay/transactions/native';

describe('POST and DELETE /_control/faults', () => {
  it('adds to what is in force, until all is ended', async () => {
    await faults(sim, { drop_notices: true });
    const { json } = await faults(sim, { provider: 'wechatpay', latency_ms: 0 });
    expect((json['faults'] as Json)['wechatpay']).toEqual({ drop_notices: true, latency_ms: 0 });
    expect((json['faults'] as Json)['alipay']).toEqual({ drop_notices: true });
    expect((await endFaults(sim)).json).toEqual({ faults: {} });
    expect((await control(sim, 'GET', '/faults')).json).toEqual({ faults: {} });
  });

  const wrong: [string, unknown, string][] = [
    ['an unknown field', { drop_notice: true }, 'drop_notice'],
    ['an unknown provider', { provider: 'bank', drop_notices: true }, 'provider'],
    ['a rate above 1', { error_rate: 1.1 }, 'error_rate'],
    ['a rate below 0', { timeout_rate: -0.1 }, 'timeout_rate'],
    ['a rate as text', { error_rate: '1' }, 'error_rate'],
    ['copies as truth', { duplicate_notices: true }, 'duplicate_notices'],
    ['a negative delay', { delay_notices_ms: -1 }, 'delay_notices_ms'],
    ['half a millisecond', { latency_ms: 0.5 }, 'latency_ms'],
    ['text for truth', { refund_fails: 'true' }, 'refund_fails'],
    ['no JSON', '{', ''],
  ];
  it.each(wrong)('refuses %s and names the field', async (_what, body, path) => {
    const { status, json } = await control(sim, 'POST', '/faults', body);
    expect([status, json['errors']]).toMatchObject([400, [{ path, message: expect.stringMatching(/./) }]]);
    expect((await control(sim, 'GET', '/faults')).json).toEqual({ faults: {} });
  });

  it('takes every field of the contract', async () => {
    const all = {
      drop_notices: true,
      duplicate_notices: 2,
      delay_notices_ms: 1,
      reorder_notices: true,
      corrupt_signature: true,
      error_rate: 0.5,
      timeout_rate: 0.5,
      latency_ms: 1,
      refund_fails: true,
      refund_delay_ms: 1,
      refund_gap_ms: 1,
    };
    const { json } = await faults(sim, all);
    const inForce = Object.values(json['faults'] as Json);
    expect(inForce).toEqual(inForce.map(() => all));
    expect(inForce.length).toBeGreaterThanOrEqual(2);
  });
});

describe('error_rate', () => {
  it('is a 5xx before the effect, on the provider’s own paths only', async () => {
    await faults(sim, { error_rate: 1 });
    const body = nativeBody();
    const { status, json, headers } = await call(sim, 'POST', NATIVE, body);
    expect([status, json?.['code'], headers.get('wechatpay-signature')]).toEqual([500, 'SYSTEM_ERROR', null]);
    expect((await fetch(`${sim.url}/healthz`)).status).toBe(200);
    expect((await fetch(sim.url)).status).toBe(200);
    await endFaults(sim);
    expect((await query(sim, body.out_trade_no))['code']).toBe('ORDER_NOT_EXIST');
  });

  it('is a rate', async () => {
    await faults(sim, { error_rate: 0.5 });
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async () => (await call(sim, 'GET', '/v3/certificates')).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 500])); // All alike once in 2^59.
  });
});

describe('timeout_rate', () => {
  it('is no answer after the effect', async () => {
    await faults(sim, { timeout_rate: 1 });
    const body = nativeBody();
    const impatient = fetchNative(body, 300);
    await expect(impatient).rejects.toThrow('gave up');
    await endFaults(sim);
    expect((await query(sim, body.out_trade_no))['trade_state']).toBe('NOTPAY');
  });

  it('cuts the connection in the end, still without an answer', async () => {
    const settings = new Faults(['wechatpay']);
    settings.set('wechatpay', { timeout_rate: 1 });
    let effects = 0;
    const app = new Hono<Env>()
      .use(faulty({ books: await openBooks(null), faults: settings }, 'wechatpay', () => new Response(null), 200))
      .get('/', (c) => c.text(`effect ${(effects += 1)}`));
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
    await once(server, 'listening');
    const before = Date.now();
    await expect(fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).rejects.toThrow('fetch failed');
    expect(Date.now() - before).toBeGreaterThanOrEqual(190);
    expect(effects).toBe(1);
    server.close();
  });

  it('holds nobody back from stopping', async () => {
    const held = await simulator();
    await faults(held, { timeout_rate: 1 });
    const waiting = call(held, 'GET', '/v3/certificates').catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = Date.now();
    await held.stop();
    expect(Date.now() - before).toBeLessThan(2000);
    expect(await waiting).toBeInstanceOf(Error);
  });

  it('a refund whose answer got lost is found again, once', async () => {
    const { outTradeNo } = await opened(sim);
    await pay(sim, outTradeNo);
    await faults(sim, { timeout_rate: 1 });
    const lost = Promise.race([
      refund(sim, outTradeNo, 100, { out_refund_no: 'R_lost' }),
      new Promise((resolve) => setTimeout(resolve, 300, 'lost')),
    ]);
    expect(await lost).toBe('lost');
    await endFaults(sim);
    const found = await call(sim, 'GET', '/v3/refund/domestic/refunds/R_lost');
    const again = await refund(sim, outTradeNo, 100, { out_refund_no: 'R_lost' });
    expect([found.status, again.json?.['refund_id']]).toEqual([200, found.json?.['refund_id']]);
  });

  /** By node:http, so that the connection is really given up. */
  function fetchNative(body: object, patienceMs: number): Promise<unknown> {
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = signedHeaders('POST', NATIVE, text);
      const asked = request(`${sim.url}${NATIVE}`, { method: 'POST', headers, agent: new Agent() }, resolve);
      asked.on('error', reject);
      asked.end(text);
      setTimeout(() => asked.destroy(new Error('gave up')), patienceMs);
    });
  }
});

describe('latency_ms', () => {
  it('makes every answer late, the effect not', async () => {
    await faults(sim, { latency_ms: 500 });
    const body = nativeBody();
    const before = Date.now();
    const late = call(sim, 'POST', NATIVE, body);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await pay(sim, body.out_trade_no)).status).toBe(200);
    expect((await late).status).toBe(200);
    expect(Date.now() - before).toBeGreaterThanOrEqual(490);
  });
});

describe('corrupt_signature', () => {
  it('makes a verifying client refuse the answer, the 204 too', async () => {
    const wx = wechatpayClient(sim);
    const { outTradeNo } = await opened(sim);
    await faults(sim, { corrupt_signature: true });
    await expect(wx.chain(NATIVE.slice(1)).post(nativeBody())).rejects.toThrow();
    await expect(
      wx.chain(`v3/pay/transactions/out-trade-no/${outTradeNo}/close`).post({ mchid: '1900000109' }),
    ).rejects.toThrow();
    await endFaults(sim);
    expect((await wx.chain(NATIVE.slice(1)).post(nativeBody())).status).toBe(200);
  });
});
