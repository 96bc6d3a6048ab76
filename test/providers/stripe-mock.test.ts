/** Stripe's own double as the judge: it knows every parameter from Stripe's specification, and no state. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Attempt } from '../../providers/provider.ts';
import { stripe } from '../../providers/stripe.ts';
import { freePort } from '../../start/ports.ts';
import { edge } from './wechatpay-peer.ts';

const VERSION = 'v0.203.0';
const run = promisify(execFile);
const hasGo = await run('go', ['version']).then(
  () => true,
  () => false,
);

// Go fetches and builds it; without Go there is no judge.
describe.runIf(hasGo)('what the adapter asks Stripe for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-mock-'));
  let mock: ChildProcess | undefined;
  let url = '';
  beforeAll(async () => {
    const env = { ...process.env, GOBIN: folder };
    await run('go', ['install', `github.com/stripe/stripe-mock@${VERSION}`], { env });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    mock = spawn(join(folder, 'stripe-mock'), ['-http-port', String(port)], { stdio: 'ignore' });
    await vi.waitFor(() => fetch(url), { timeout: 60_000, interval: 200 });
  }, 600_000);
  afterAll(() => {
    mock?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const account = { accountId: 'acct_1', secretKey: 'sk_test_123', webhookSecret: 'whsec_1' };
  const seen: { path: string; status: number }[] = [];
  const fetching: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    seen.push({ path: new URL(new Request(input).url).pathname, status: answer.status });
    return answer;
  };
  const ours = () => stripe(account, edge(url, { now: Date.now, fetch: fetching, timeoutMs: 20_000 }));
  const attempt: Attempt = {
    method: 'card.stripe',
    outTradeNo: 'T1',
    orderId: 'ord_1',
    money: { amount: 1999, currency: 'USD' },
    description: 'Tea & 茶',
    startedAt: Date.now(),
    expiresAt: Date.now() + 900_000,
    notifyUrl: 'https://shop.example.com/n',
    formUrl: 'https://shop.example.com/form',
    landingUrl: 'https://shop.example.com/landing',
    returnUrl: 'https://shop.example.com/back',
    buyer: {},
  };

  it('is legal by Stripe’s specification', async () => {
    const payment = { ...attempt, reference: 'cs_test_1' };
    const refund = {
      ...payment,
      tradeNo: 'pi_1',
      outRefundNo: 'R1',
      askedAt: Date.now(),
      paid: attempt.money,
      refund: attempt.money,
      reason: 'broken',
    };
    await ours().open(attempt);
    // The double answers with objects of its own, which are about nothing of ours.
    await Promise.allSettled([ours().query(payment), ours().query({ ...payment, reference: null })]);
    await Promise.allSettled([ours().refund(refund), ours().queryRefund(refund)]);
    await new Stripe('sk_test_123', {
      host: '127.0.0.1',
      port: new URL(url).port,
      protocol: 'http',
    }).checkout.sessions.expire('cs_1', {});
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200));
    expect(new Set(seen.map(({ path }) => path))).toEqual(
      new Set(['/v1/checkout/sessions', '/v1/checkout/sessions/cs_test_1', '/v1/refunds']),
    );
  });

  it('and the judge does refuse what is not', async () => {
    const body = new URLSearchParams({ mode: 'payment', tip: '1' });
    const headers = { authorization: 'Bearer sk_test_123' };
    expect((await fetch(`${url}/v1/checkout/sessions`, { method: 'POST', headers, body })).status).toBe(400);
  });
});
