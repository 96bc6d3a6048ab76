import { readFileSync } from 'node:fs';
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator, StripeMerchant } from '../../simulator/server.ts';
import { signatureHeader } from '../../simulator/stripe/events.ts';
import {
  control,
  endFaults,
  eventually,
  faults,
  freshNumber,
  ledgerOf,
  pay,
  shop,
  simulator,
  temporaryFolder,
  type Json,
} from './support.ts';

const json = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const { shapes } = json('stripe-shapes') as { shapes: Record<string, Json> };

type Vector = { name: string; payload: string; timestamp: number; secret: string; header: string };

const SECRETS = ['whsec_new', 'whsec_old'];
const merchantOf = (webhookUrl: string | null): StripeMerchant => ({
  stripeAccount: 'acct_1',
  secretKey: 'sk_test_1',
  webhookUrl,
  webhookSecrets: SECRETS,
});
const other: StripeMerchant = { ...merchantOf(null), stripeAccount: 'acct_2', secretKey: 'sk_test_2' };

let sim: Simulator;
let merchantShop: Awaited<ReturnType<typeof shop>>;
beforeAll(async () => {
  merchantShop = await shop();
  sim = await simulator({ merchants: [merchantOf(merchantShop.url), other] });
});
beforeEach(() => {
  merchantShop.received.length = 0;
});
afterEach(() => endFaults(sim));
afterAll(async () => {
  await sim.stop();
  merchantShop.close();
});

/** The independent client. */
const client = (at = sim, key = 'sk_test_1'): Stripe => {
  const { hostname, port } = new URL(at.url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
};

const wish = (changes: object = {}) => ({
  mode: 'payment' as const,
  line_items: [
    { quantity: 1, price_data: { currency: 'usd', unit_amount: 1999, product_data: { name: 'Tea & 茶 [x]' } } },
  ],
  success_url: 'https://shop.example.com/ok?s={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example.com/no',
  client_reference_id: freshNumber(),
  metadata: { order_id: 'ord_1' },
  payment_intent_data: { metadata: { out_trade_no: 'T1' } },
  ...changes,
});
const open = async (changes: object = {}) => {
  const params = wish(changes);
  return { number: params.client_reference_id, session: await client().checkout.sessions.create(params) };
};
const read = (id: string) => client().checkout.sessions.retrieve(id, { expand: ['payment_intent.latest_charge'] });
const paidIntent = async () => {
  const { number, session } = await open();
  await pay(sim, number);
  return { number, intent: (await client().checkout.sessions.retrieve(session.id)).payment_intent as string };
};
/** The error of a call that must fail. */
const errorOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Stripe.errors.StripeError);
  return error as InstanceType<typeof Stripe.errors.StripeError>;
};

describe('an independent client', () => {
  it('opens a session that is paid and refunded, in objects with every field of Stripe’s', async () => {
    const { number, session } = await open();
    expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 1999, currency: 'usd' });
    expect([session.payment_intent, session.client_reference_id]).toEqual([null, number]);
    expect(Object.keys(session).sort()).toEqual(
      expect.arrayContaining(Object.keys(shapes['checkout_session'] ?? {}).sort()),
    );
    const page = await (await fetch(session.url ?? '')).text();
    for (const button of ['支付 Pay', '失败 Fail', '取消 Cancel', '19.99 USD']) expect(page).toContain(button);

    expect((await pay(sim, number)).json).toMatchObject({ provider: 'stripe', status: 'paid', order: 'ord_1' });
    const done = await read(session.id);
    const intent = done.payment_intent as Stripe.PaymentIntent;
    expect(done).toMatchObject({ status: 'complete', payment_status: 'paid', url: null });
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 1999, metadata: { out_trade_no: 'T1' } });
    expect(Object.keys(intent)).toEqual(expect.arrayContaining(Object.keys(shapes['payment_intent'] ?? {})));
    expect(Object.keys(intent.latest_charge ?? {})).toEqual(
      expect.arrayContaining(Object.keys(shapes['charge'] ?? {})),
    );
    expect((await client().paymentIntents.retrieve(intent.id)).status).toBe('succeeded');

    const part = await client().refunds.create({
      payment_intent: intent.id,
      amount: 999,
      metadata: { out_refund_no: 'R1' },
    });
    expect(part).toMatchObject({ status: 'succeeded', amount: 999, payment_intent: intent.id });
    expect(Object.keys(part)).toEqual(expect.arrayContaining(Object.keys(shapes['refund'] ?? {})));
    await client().refunds.create({ payment_intent: intent.id });
    const { data } = await client().refunds.list({ payment_intent: intent.id });
    expect(data.map(({ amount }) => amount)).toEqual([1000, 999]);
    expect((await client().refunds.retrieve(part.id)).metadata).toEqual({ out_refund_no: 'R1' });
    expect((await ledgerOf(sim, number)).map(({ type, amount, currency }) => [type, amount, currency])).toEqual([
      ['capture', 1999, 'USD'],
      ['refund', 999, 'USD'],
      ['refund', 1000, 'USD'],
    ]);
  });

  it('a declined card is not the end; an expired session is, but for a lost race', async () => {
    const { number, session } = await open();
    await control(sim, 'POST', `/payments/${number}`, { action: 'fail' });
    expect(await read(session.id)).toMatchObject({
      status: 'open',
      payment_intent: { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
    });
    await control(sim, 'POST', `/payments/${number}`, { action: 'start' });
    expect(await read(session.id)).toMatchObject({ payment_intent: { status: 'requires_action' } });
    expect(await client().checkout.sessions.expire(session.id)).toMatchObject({ status: 'expired', url: null });
    expect((await errorOf(client().checkout.sessions.expire(session.id))).message).toContain('status in ["open"]');
    expect((await pay(sim, number)).status).toBe(409);
    expect((await pay(sim, number, { force: true })).status).toBe(200);
    expect(await read(session.id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it('finds sessions in a list, newest first, page by page', async () => {
    const numbers: string[] = [];
    for (let n = 0; n < 3; n += 1) numbers.unshift((await open()).number);
    const since = Math.floor(Date.now() / 1000) - 60;
    const found = await client()
      .checkout.sessions.list({ limit: 2, created: { gte: since } })
      .autoPagingToArray({ limit: 3 });
    expect(found.map(({ client_reference_id }) => client_reference_id)).toEqual(numbers);
    expect((await client(sim, 'sk_test_2').checkout.sessions.list()).data).toEqual([]);
  });

  it('pays another amount where it is told to', async () => {
    const { number, session } = await open();
    await pay(sim, number, { amount: 1 });
    expect(await read(session.id)).toMatchObject({ amount_total: 1, payment_intent: { amount_received: 1 } });
  });
});

describe('what Stripe refuses', () => {
  it.each([
    ['an unknown parameter', { tip: '1' }, 'parameter_unknown', 'tip'],
    ['one inside', { payment_intent_data: { metadata: {}, tip: 1 } }, 'parameter_unknown', 'payment_intent_data[tip]'],
    ['no mode', { mode: undefined }, 'parameter_missing', 'mode'],
    ['no success_url', { success_url: undefined }, 'parameter_missing', 'success_url'],
    ['an odd one', { success_url: 'shop' }, 'parameter_invalid', 'success_url'],
    ['a reference too long', { client_reference_id: 'x'.repeat(201) }, 'parameter_invalid', 'client_reference_id'],
    ['a time too near', { expires_at: Math.floor(Date.now() / 1000) + 60 }, undefined, 'expires_at'],
    ['a time too far', { expires_at: Math.floor(Date.now() / 1000) + 90_000 }, undefined, 'expires_at'],
    ['metadata too long', { metadata: { a: 'x'.repeat(501) } }, 'parameter_invalid', 'metadata[a]'],
  ])('%s', async (_why, changes, code, param) => {
    const error = await errorOf(client().checkout.sessions.create(wish(changes) as never));
    expect([error.type, error.statusCode, error.code, error.param]).toEqual([
      'StripeInvalidRequestError',
      400,
      code,
      param,
    ]);
  });

  it.each([
    [49, 'usd', 'amount_too_small'],
    [100_000_000, 'usd', 'amount_too_large'],
    [0, 'cny', 'amount_too_small'],
  ])('%i %s: %s', async (unit_amount, currency, code) => {
    const line_items = [{ quantity: 1, price_data: { currency, unit_amount, product_data: { name: 'x' } } }];
    expect((await errorOf(client().checkout.sessions.create(wish({ line_items })))).code).toBe(code);
  });

  it('another key, another account’s objects, an unknown path', async () => {
    const { session } = await open();
    expect((await errorOf(client(sim, 'sk_test_9').checkout.sessions.list())).statusCode).toBe(401);
    expect((await errorOf(client(sim, 'sk_test_2').checkout.sessions.retrieve(session.id))).code).toBe(
      'resource_missing',
    );
    expect((await errorOf(client().checkout.sessions.retrieve('cs_no'))).code).toBe('resource_missing');
    const unknown = await fetch(`${sim.url}/v1/checkout/other`, { headers: { authorization: 'Bearer sk_test_1' } });
    expect(unknown.status).toBe(404);
  });

  it('refunds of too much, of nothing, of what is unpaid', async () => {
    const { intent } = await paidIntent();
    expect((await errorOf(client().refunds.create({ payment_intent: intent, amount: 2000 }))).message).toContain(
      'greater than unrefunded amount',
    );
    await client().refunds.create({ payment_intent: intent });
    expect((await errorOf(client().refunds.create({ payment_intent: intent }))).code).toBe('charge_already_refunded');
    expect((await errorOf(client().refunds.create({ payment_intent: 'pi_no' }))).code).toBe('resource_missing');
    expect((await errorOf(client().refunds.create({}))).code).toBe('parameter_missing');
  });
});

describe('the same Idempotency-Key', () => {
  it('gives the first answer again, and nothing happens twice; other words are refused', async () => {
    const params = wish();
    const again = () =>
      client().checkout.sessions.create(params, { idempotencyKey: `k-${params.client_reference_id}` });
    const first = await again();
    await pay(sim, params.client_reference_id);
    const second = await again();
    expect([second.id, second.status]).toEqual([first.id, 'open']);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    params.success_url = 'https://elsewhere.example';
    expect((await errorOf(again())).type).toBe('StripeIdempotencyError');
    const { intent, number } = await paidIntent();
    const refund = () =>
      client().refunds.create({ payment_intent: intent, amount: 1 }, { idempotencyKey: `r-${number}` });
    expect((await refund()).id).toBe((await refund()).id);
    expect(await ledgerOf(sim, number)).toHaveLength(2);
  });

  it('is not kept for what was wrong from the start, nor by an outage', async () => {
    const params = wish({ mode: undefined });
    const call = (more: object) =>
      client().checkout.sessions.create({ ...params, ...more } as never, {
        idempotencyKey: params.client_reference_id,
      });
    await errorOf(call({}));
    await faults(sim, { provider: 'stripe', error_rate: 1 });
    expect((await errorOf(call({ mode: 'payment' }))).type).toBe('StripeAPIError');
    await endFaults(sim);
    expect((await call({ mode: 'payment' })).status).toBe('open');
  });

  it('is still known after a restart', async () => {
    const folder = await temporaryFolder();
    const options = { merchants: [merchantOf(null)], dataDir: folder.path };
    const params = wish();
    const create = (at: Simulator) => client(at).checkout.sessions.create(params, { idempotencyKey: 'k' });
    const before = await simulator(options);
    const { id } = await create(before);
    await before.stop();
    const after = await simulator(options);
    expect((await create(after)).id).toBe(id);
    await after.stop();
    await folder.remove();
  });
});

describe('events', () => {
  const received = (count: number) =>
    eventually(() => {
      expect(merchantShop.received).toHaveLength(count);
      return merchantShop.received;
    });

  it('are signed with every secret of the account, so that the library takes them', async () => {
    const { number, session } = await open();
    await pay(sim, number);
    const events = (await received(2)).map(({ body, headers }) => {
      const signature = String(headers['stripe-signature']);
      for (const secret of SECRETS) client().webhooks.constructEvent(body, signature, secret);
      expect(() => client().webhooks.constructEvent(`${body} `, signature, SECRETS[0]!)).toThrow('signature');
      return client().webhooks.constructEvent(body, signature, SECRETS[0]!);
    });
    expect(events.map(({ type }) => type).sort()).toEqual(['checkout.session.completed', 'payment_intent.succeeded']);
    for (const event of events) expect(Object.keys(event).sort()).toEqual(Object.keys(shapes['event'] ?? {}).sort());
    expect(events.some(({ data }) => (data.object as { id: string }).id === session.id)).toBe(true);
  });

  it('a declined card, an expired session, refunds at once, later and failed', async () => {
    const { number, session } = await open();
    await control(sim, 'POST', `/payments/${number}`, { action: 'fail' });
    await client().checkout.sessions.expire(session.id);
    const { intent } = await paidIntent();
    await client().refunds.create({ payment_intent: intent, amount: 1 });
    await faults(sim, { refund_delay_ms: 10 });
    expect((await client().refunds.create({ payment_intent: intent, amount: 1 })).status).toBe('pending');
    await faults(sim, { refund_fails: true });
    const { id } = await client().refunds.create({ payment_intent: intent, amount: 1 });
    const types = (await received(9)).map((event) => String(event.json['type'])).sort();
    expect(types).toEqual([
      'checkout.session.completed',
      'checkout.session.expired',
      'payment_intent.payment_failed',
      'payment_intent.succeeded',
      'refund.created',
      'refund.created',
      'refund.created',
      'refund.failed',
      'refund.updated',
    ]);
    expect(await client().refunds.retrieve(id)).toMatchObject({
      status: 'failed',
      failure_reason: 'insufficient_funds',
    });
  });

  it.each((json('stripe') as { vectors: Vector[] }).vectors)(
    'the signature of $name, byte for byte',
    ({ payload, timestamp, secret, header }) => {
      const [, v1] = signatureHeader(payload, timestamp, [secret]).split(',');
      expect(header.split(',')).toContain(v1);
    },
  );
});
