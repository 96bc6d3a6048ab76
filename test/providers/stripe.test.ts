import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NoticeRejected,
  ProviderError,
  type Attempt,
  type PaymentRef,
  type RefundRequest,
} from '../../providers/provider.ts';
import { stripe, type StripeAccount } from '../../providers/stripe.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { edge, NOW } from './wechatpay-peer.ts';

const account: StripeAccount = {
  accountId: 'acct_1',
  secretKey: 'sk_test_1',
  webhookSecret: 'whsec_now',
  webhookSecretBefore: 'whsec_before',
};
const noNetwork = edge('https://api.stripe.com', { fetch: () => Promise.reject(new Error('nothing may be sent')) });

/** The error of a call that must fail. */
async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

describe('at the simulator', () => {
  let sim: Simulator;
  beforeAll(async () => {
    const merchant = { stripeAccount: 'acct_1', secretKey: 'sk_test_1', webhookUrl: null, webhookSecrets: ['whsec_x'] };
    sim = await startSimulator({ port: 0, dataDir: null, merchants: [merchant] });
  });
  afterAll(() => sim.stop());

  const ours = () => stripe(account, edge(sim.url, { now: Date.now, timeoutMs: 10_000 }));
  let count = 0;
  const attemptOf = (changes: Partial<Attempt> = {}): Attempt => ({
    method: 'card.stripe',
    outTradeNo: `T${(count += 1)}`,
    orderId: 'ord_1',
    money: { amount: 1999, currency: 'USD' },
    description: 'Tea & 茶',
    startedAt: Date.now(),
    expiresAt: Date.now() + 900_000,
    notifyUrl: 'https://shop.example.com/webhooks/stripe/acme',
    formUrl: 'https://shop.example.com/form',
    landingUrl: 'https://shop.example.com/landing',
    returnUrl: 'https://shop.example.com/back',
    buyer: {},
    ...changes,
  });
  const opened = async (changes: Partial<Attempt> = {}): Promise<PaymentRef> => {
    const attempt = attemptOf(changes);
    return { ...attempt, reference: (await ours().open(attempt)).reference };
  };
  const control = async (path: string, body: object, method = 'POST') =>
    (
      await fetch(`${sim.url}/_control/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' && { body: JSON.stringify(body) }),
      })
    ).json() as Promise<Record<string, unknown>>;
  const buyer = ({ outTradeNo }: PaymentRef, action: string, more = {}) =>
    control(`payments/${outTradeNo}`, { action, ...more });
  const faults = (settings: object) => control('faults', settings);
  const noFaults = () => control('faults', {}, 'DELETE');
  const refundOf = (payment: PaymentRef, tradeNo: string, amount = 999): RefundRequest => ({
    ...payment,
    tradeNo,
    outRefundNo: `R-${payment.outTradeNo}-${amount}`,
    askedAt: Date.now(),
    paid: payment.money,
    refund: { amount, currency: 'USD' },
    reason: 'broken',
    notifyUrl: '',
  });
  const paidNo = async (payment: PaymentRef): Promise<string> => {
    await buyer(payment, 'pay');
    return ((await ours().query(payment)) as { tradeNo: string }).tradeNo;
  };

  it('opens a session, the same one however often; paid, it says so', async () => {
    const attempt = attemptOf();
    const first = await ours().open(attempt);
    expect(first).toEqual({
      action: { type: 'redirect', url: expect.stringMatching(/^http:\/\/127/) },
      reference: expect.stringMatching(/^cs_test_/),
    });
    expect(await ours().open(attempt)).toEqual(first);
    const payment = { ...attempt, reference: first.reference };
    expect(await ours().query(payment)).toEqual({ state: 'pending' });
    await buyer(payment, 'pay');
    expect(await ours().query(payment)).toEqual({
      state: 'paid',
      tradeNo: expect.stringMatching(/^pi_/),
      money: { amount: 1999, currency: 'USD' },
      paidAt: expect.any(Number),
    });
    const { data } = (await control('payments?order=ord_1', {}, 'GET')) as { data: { out_trade_no: string }[] };
    expect(data.some(({ out_trade_no }) => out_trade_no === attempt.outTradeNo)).toBe(true);
  });

  it('a buyer who is asked for a proof is at it; a declined card may yet be another one', async () => {
    const payment = await opened();
    await buyer(payment, 'start');
    expect(await ours().query(payment)).toEqual({ state: 'processing' });
    await buyer(payment, 'fail');
    expect(await ours().query(payment)).toEqual({ state: 'failed', reason: 'generic_decline', mayYetBePaid: true });
    await buyer(payment, 'start');
    expect(await ours().query(payment)).toEqual({ state: 'processing' });
    await paidNo(payment);
    expect(await ours().query(payment)).toMatchObject({ state: 'paid' });
  });

  it('closed: nobody can pay it; again, or paid: nothing happens', async () => {
    const payment = await opened();
    await ours().close(payment);
    expect(await ours().query(payment)).toEqual({ state: 'closed' });
    await ours().close(payment);
    const paid = await opened();
    await paidNo(paid);
    await ours().close(paid);
    expect(await ours().query(paid)).toMatchObject({ state: 'paid' });
  });

  it('whose opening was lost is found again; never opened, it is unknown', async () => {
    const attempt = attemptOf();
    await faults({ timeout_rate: 1 });
    const impatient = stripe(account, edge(sim.url, { now: Date.now, timeoutMs: 500 }));
    expect((await errorOf(impatient.open(attempt))).outcome).toBe('unknown');
    await noFaults();
    const payment = { ...attempt, reference: null };
    expect(await ours().query(payment)).toEqual({ state: 'pending' });
    await ours().close(payment);
    expect(await ours().query(payment)).toEqual({ state: 'closed' });
    expect(await ours().query({ ...attemptOf(), reference: null })).toEqual({ state: 'unknown' });
    expect(await ours().query({ ...attemptOf(), reference: 'cs_none' })).toEqual({ state: 'unknown' });
    expect(await ours().close({ ...attemptOf(), reference: null })).toBeNull();
    expect(
      (await errorOf(ours().query({ ...payment, outTradeNo: 'T-other', reference: (await opened()).reference }))).code,
    ).toBe('answer_mismatch');
  });

  it('a key that was used with other words: the session is found', async () => {
    const attempt = attemptOf();
    const first = await ours().open(attempt);
    expect(await ours().open({ ...attempt, startedAt: attempt.startedAt + 5_000 })).toEqual(first);
  });

  it('a failure that its key repeats for a day: another key opens it, but only where there is no session', async () => {
    const keys: (string | null)[] = [];
    const answer = (status: number, body: object, isReplay = false) =>
      new Response(JSON.stringify(body), { status, headers: isReplay ? { 'idempotent-replayed': 'true' } : {} });
    const outage = { error: { type: 'api_error', message: 'An unknown error occurred' } };
    const fetch = async (_: unknown, { method, headers }: RequestInit = {}) => {
      if (method === 'GET') return answer(200, { object: 'list', data: [], has_more: false });
      keys.push(new Headers(headers).get('idempotency-key'));
      if (keys.at(-1) === 'open-T500') return answer(500, outage, keys.length > 1);
      return answer(200, { id: 'cs_2', url: 'https://c' });
    };
    const attempt = attemptOf({ outTradeNo: 'T500', startedAt: NOW * 1000 });
    const there = stripe(account, edge('http://127.0.0.1:9', { fetch: fetch as never, now: () => (NOW + 130) * 1000 }));
    expect((await errorOf(there.open(attempt))).outcome).toBe('unknown');
    expect((await there.open(attempt)).reference).toBe('cs_2');
    expect(keys).toEqual(['open-T500', 'open-T500', 'open-T500-2']);
  });

  it('refunded in parts; the same number is the same refund; found by its number', async () => {
    const payment = await opened();
    const request = refundOf(payment, await paidNo(payment));
    expect(await ours().queryRefund(request)).toEqual({ state: 'unknown' });
    expect(await ours().refund(request)).toMatchObject({ state: 'succeeded' });
    expect(await ours().refund(request)).toMatchObject({ state: 'succeeded' });
    expect(await ours().queryRefund(request)).toMatchObject({ state: 'succeeded' });
    expect((await errorOf(ours().refund(refundOf(payment, request.tradeNo, 1001)))).outcome).toBe('refused');
    await faults({ refund_gap_ms: 600_000 });
    expect((await errorOf(ours().refund(refundOf(payment, request.tradeNo, 2)))).outcome).toBe('busy');
    await noFaults();
    await faults({ refund_fails: true, refund_delay_ms: 600_000 });
    const failing = refundOf(payment, request.tradeNo, 1);
    expect(await ours().refund(failing)).toEqual({ state: 'processing' });
    await noFaults();
    await expect
      .poll(() => ours().queryRefund(failing), { timeout: 5_000 })
      .toEqual({ state: 'failed', reason: 'insufficient_funds' });
  });

  it('a definite no, an outage, nobody there', async () => {
    expect((await errorOf(ours().open(attemptOf({ money: { amount: 49, currency: 'USD' } })))).code).toBe(
      'amount_too_small',
    );
    for (const money of [
      { amount: 0, currency: 'USD' },
      { amount: 100, currency: 'ISK' },
    ])
      expect((await errorOf(stripe(account, noNetwork).open(attemptOf({ money })))).outcome).toBe('refused');
    expect((await errorOf(stripe(account, noNetwork).open(attemptOf({ method: 'alipay.qr' })))).code).toBe(
      'unsupported_method',
    );
    const stranger = stripe({ ...account, secretKey: 'sk_test_9' }, edge(sim.url, { now: Date.now }));
    expect((await errorOf(stranger.open(attemptOf()))).outcome).toBe('refused');
    await faults({ error_rate: 1 });
    expect((await errorOf(ours().open(attemptOf()))).outcome).toBe('unknown');
    await noFaults();
    const gone = await startSimulator({ port: 0, dataDir: null, merchants: [] });
    await gone.stop();
    expect(await errorOf(stripe(account, edge(gone.url)).open(attemptOf()))).toMatchObject({
      outcome: 'busy',
      code: 'unreachable',
    });
  });

  it('an attempt shorter than Stripe’s half hour gets a session of an hour; its words never change', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        seen.push({ headers: request.headers, body });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"cs_1","url":"https://c"}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const there = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const attempt = attemptOf({ startedAt: NOW * 1000, expiresAt: (NOW + 60) * 1000 });
    for (const later of [0, 600_000])
      await stripe(account, edge(there, { now: () => NOW * 1000 + later })).open(attempt);
    server.close();
    expect(seen[0]!.body).toBe(seen[1]!.body);
    expect(new URLSearchParams(seen[0]!.body).get('expires_at')).toBe(String(NOW + 3600));
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(2).fill(`open-${attempt.outTradeNo}`));
    expect(seen[0]!.headers).toMatchObject({
      authorization: 'Bearer sk_test_1',
      'stripe-version': '2026-10-28.endive',
    });
  });
});

describe('notices', () => {
  const provider = stripe(account, noNetwork);
  const event = (type: string, object: object, more = {}) =>
    JSON.stringify({ id: 'evt_1', object: 'event', created: NOW, livemode: false, type, data: { object }, ...more });
  const signed = (payload: string, secret = 'whsec_now', timestamp = NOW) =>
    new Stripe('sk_test_1').webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const read = (payload: string, header = signed(payload)) =>
    provider.readNotice({ headers: new Headers({ 'stripe-signature': header }), body: Buffer.from(payload) });
  const session = {
    client_reference_id: 'T1',
    payment_status: 'paid',
    payment_intent: 'pi_1',
    amount_total: 5,
    currency: 'usd',
  };
  const intent = { id: 'pi_1', metadata: { out_trade_no: 'T1' }, amount_received: 5, currency: 'usd' };
  const declined = { ...intent, last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds' } };
  const refund = { metadata: { out_trade_no: 'T1', out_refund_no: 'R1' }, status: 'succeeded', created: NOW };
  const paid = { state: 'paid', tradeNo: 'pi_1', money: { amount: 5, currency: 'USD' }, paidAt: NOW * 1000 };

  it.each([
    ['checkout.session.completed', session, paid],
    ['checkout.session.async_payment_succeeded', session, paid],
    ['checkout.session.completed', { ...session, payment_status: 'unpaid' }, { state: 'processing' }],
    ['checkout.session.async_payment_failed', session, { state: 'failed', reason: 'async_payment_failed' }],
    ['checkout.session.expired', session, { state: 'closed' }],
    ['payment_intent.succeeded', intent, paid],
    ['payment_intent.processing', intent, { state: 'processing' }],
    ['payment_intent.requires_action', intent, { state: 'processing' }],
    ['payment_intent.payment_failed', declined, { state: 'failed', reason: 'insufficient_funds', mayYetBePaid: true }],
  ])('%s %#', async (type, object, payment) => {
    const notice = await read(event(type, object));
    expect(notice).toEqual({
      id: 'evt_1',
      account: { merchantNo: 'acct_1', appId: 'test' },
      outTradeNo: 'T1',
      about: 'payment',
      payment,
    });
    expect(provider.isOurs(notice.account)).toBe(true);
  });

  it.each([
    ['refund.created', {}, { state: 'succeeded', settledAt: NOW * 1000 }],
    ['refund.updated', { status: 'pending' }, { state: 'processing' }],
    ['refund.failed', { status: 'failed', failure_reason: 'declined' }, { state: 'failed', reason: 'declined' }],
  ])('%s', async (type, changes, report) => {
    expect(await read(event(type, { ...refund, ...changes }))).toMatchObject({
      about: 'refund',
      outTradeNo: 'T1',
      outRefundNo: 'R1',
      refund: report,
    });
  });

  it('a live one is not ours where our key is a test one', async () => {
    const { account: meant } = await read(event('payment_intent.succeeded', intent, { livemode: true }));
    expect(provider.isOurs(meant)).toBe(false);
    expect(stripe({ ...account, secretKey: 'sk_live_1' }, noNetwork).isOurs(meant)).toBe(true);
  });

  it('with the secret before while it is rolled, and with two signatures; told again it is the same', async () => {
    const payload = event('payment_intent.succeeded', intent);
    const first = await read(payload);
    expect(await read(payload, signed(payload, 'whsec_before', NOW + 60))).toEqual(first);
    const v1 = signed(payload).split('v1=')[1]!;
    expect(await read(payload, `t=${NOW},v1=${'0'.repeat(64)},v1=${v1},v0=x`)).toEqual(first);
  });

  const { vectors } = JSON.parse(readFileSync(new URL('../vectors/stripe.json', import.meta.url), 'utf8')) as {
    vectors: { name: string; payload: string; timestamp: number; secret: string; header: string }[];
  };
  it.each(vectors)('the vector $name; no changed one', async ({ payload, timestamp, secret, header }) => {
    const at = edge('https://api.stripe.com', { now: () => timestamp * 1000 });
    const reading = (body: string) =>
      stripe({ ...account, webhookSecret: secret }, at).readNotice({
        headers: new Headers({ 'stripe-signature': header }),
        body: Buffer.from(body),
      });
    // Genuine, but it carries no number of ours.
    expect(await errorOf(reading(payload))).toMatchObject({ outcome: 'refused', code: 'unhandled_notice' });
    await expect(reading(`${payload} `)).rejects.toThrow(NoticeRejected);
  });

  it('nobody may believe one that was changed, cut, signed by others, too old, to come, too large or unsigned', async () => {
    const payload = event('payment_intent.succeeded', intent);
    const rejected = (body: string, header?: string) => expect(read(body, header)).rejects.toThrow(NoticeRejected);
    await rejected(payload.replace('"amount_received":5', '"amount_received":6'), signed(payload));
    await rejected(payload.slice(0, -1), signed(payload));
    await rejected(payload, signed(payload, 'whsec_other'));
    await rejected(payload, signed(payload, 'whsec_now', NOW - 301));
    await rejected(payload, signed(payload, 'whsec_now', NOW + 301));
    await rejected(payload, signed(payload).replace(`t=${NOW}`, `t=${NOW + 1}`));
    await rejected(payload, '');
    await rejected(payload, 'v1=00');
    await rejected(payload, `t=${NOW}`);
    await rejected('not json');
    await rejected(event('payment_intent.succeeded', { ...intent, pad: 'x'.repeat(64 * 1024) }));
  });

  it.each([
    ['customer.created', {}],
    ['payment_intent.succeeded', { ...intent, metadata: {} }],
    ['checkout.session.completed', { ...session, client_reference_id: null }],
    ['refund.created', { ...refund, metadata: {} }],
  ])('%s %# is genuine, but not for us', async (type, object) => {
    expect(await errorOf(read(event(type, object)))).toMatchObject({ outcome: 'refused', code: 'unhandled_notice' });
  });

  it('are answered by a status', () => {
    const statuses = (['accepted', 'failed', 'rejected'] as const).map(
      (outcome) => provider.acknowledge(outcome).status,
    );
    expect(statuses).toEqual([200, 500, 401]);
  });
});

it('a wrong account is found at the start, and its keys are not quoted', () => {
  expect(() => stripe({ ...account, secretKey: 'pk_secret' }, noNetwork)).toThrow(/^stripe secretKey: must begin/);
  expect(() => stripe({ ...account, webhookSecret: 'secret' }, noNetwork)).toThrow(/^stripe webhookSecret: must begin/);
});
