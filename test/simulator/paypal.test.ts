import { createPrivateKey, sign } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signedText } from '../../simulator/paypal/webhooks.ts';
import type { Simulator } from '../../simulator/server.ts';
import { control, endFaults, eventually, faults, freshNumber, ledgerOf, pay, shop, type Json } from './support.ts';
import {
  app,
  ask,
  askForToken,
  capture,
  captureIn,
  isGenuine,
  issueIn,
  keys,
  opened,
  orderBody,
  orderOf,
  paypalSimulator,
  stranger,
  tokenOf,
  vector,
} from './paypal-support.ts';

let sim: Simulator;
let merchantShop: Awaited<ReturnType<typeof shop>>;
beforeAll(async () => {
  merchantShop = await shop();
  merchantShop.answer = () => 200;
  sim = await paypalSimulator(merchantShop.url);
});
afterEach(() => endFaults(sim));
afterAll(async () => {
  merchantShop.close();
  await sim.stop();
});

const events = (type: string, about: string) =>
  merchantShop.received.filter(({ json, body }) => json['event_type'] === type && body.includes(about));

async function paid(unit: Json = {}): Promise<{ number: string; id: string; captureId: string }> {
  const { id, number } = await opened(sim, unit);
  await pay(sim, number);
  return { id, number, captureId: String(captureIn((await capture(sim, id)).json)['id']) };
}
const refund = (captureId: string, body: Json, requestId?: string) =>
  ask(sim, 'POST', `/v2/payments/captures/${captureId}/refund`, body, requestId === undefined ? {} : { requestId });
const usd = (value: string): Json => ({ amount: { currency_code: 'USD', value } });

it('signs events as the published vector does, byte for byte', () => {
  const { headers, body, webhook_id: webhookId, canonical, key } = vector;
  const transmission = { id: headers['PAYPAL-TRANSMISSION-ID']!, time: headers['PAYPAL-TRANSMISSION-TIME']! };
  const text = signedText(transmission, webhookId, body);
  expect(text).toBe(canonical);
  const signature = sign('sha256', Buffer.from(text), createPrivateKey(keys[key]!['private_pkcs8_pem']!));
  expect(signature.toString('base64')).toBe(headers['PAYPAL-TRANSMISSION-SIG']);
});

describe('a token', () => {
  it('is for known apps', async () => {
    const answer = await askForToken(sim);
    expect(await answer.json()).toMatchObject({ token_type: 'Bearer', expires_in: 32_400 });
    for (const credentials of [
      { ...app, clientSecret: stranger.clientSecret },
      { ...app, clientId: 'nobody' },
    ]) {
      const refused = await askForToken(sim, credentials);
      expect([refused.status, await refused.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    }
    expect((await askForToken(sim, app, 'grant_type=password')).status).toBe(400);
  });

  it('ends, and one that is none is none', async () => {
    let now = Date.now();
    const own = await paypalSimulator(undefined, { now: () => now });
    const token = await tokenOf(own);
    expect((await ask(own, 'GET', '/v2/checkout/orders/X', undefined, { token })).status).toBe(404);
    now += 32_401_000;
    const late = await ask(own, 'GET', '/v2/checkout/orders/X', undefined, { token });
    expect([late.status, late.json['name']]).toEqual([401, 'AUTHENTICATION_FAILURE']);
    expect((await ask(own, 'GET', '/v2/checkout/orders/X', undefined, { token: 'x' })).status).toBe(401);
    await own.stop();
  });
});

describe('an order', () => {
  it('waits for the payer, is approved, and is money only once it is captured', async () => {
    const { id, number, url } = await opened(sim);
    expect(url).toBe(`${sim.url}/checkoutnow?token=${id}`);
    expect((await orderOf(sim, id)).json).toMatchObject({ status: 'PAYER_ACTION_REQUIRED' });
    expect(issueIn((await capture(sim, id)).json)).toBe('ORDER_NOT_APPROVED');
    expect((await pay(sim, number)).json).toMatchObject({ status: 'paying', paid_amount: null });
    expect((await orderOf(sim, id)).json).toMatchObject({ status: 'APPROVED' });
    expect(await ledgerOf(sim, number)).toEqual([]);
    await eventually(() => expect(events('CHECKOUT.ORDER.APPROVED', number)).toHaveLength(1));
    const { status, json } = await capture(sim, id, { requestId: `capture-${id}` });
    expect([status, json['status']]).toEqual([201, 'COMPLETED']);
    expect(await capture(sim, id, { requestId: `capture-${id}` })).toMatchObject({ status: 200, json });
    const part = { status: 'COMPLETED', amount: { currency_code: 'USD', value: '19.99' }, custom_id: number };
    expect(captureIn(json)).toMatchObject(part);
    const again = await capture(sim, id);
    expect([again.status, issueIn(again.json)]).toEqual([422, 'ORDER_ALREADY_CAPTURED']);
    const [event] = await eventually(() => {
      expect(events('PAYMENT.CAPTURE.COMPLETED', number)).toHaveLength(1);
      return events('PAYMENT.CAPTURE.COMPLETED', number);
    });
    expect(event!.json['resource']).toMatchObject(part);
    expect(await isGenuine(event!)).toBe(true);
    expect(await isGenuine(event!, 'AAAAAAAAAAAAAAAAA')).toBe(false);
    expect(await ledgerOf(sim, number)).toMatchObject([{ type: 'capture', amount: 1999, currency: 'USD' }]);
  });

  it('can be approved by hand, and leads back to the merchant', async () => {
    const { url, id } = await opened(sim);
    const page = await (await fetch(url)).text();
    for (const action of ['pay', 'fail', 'cancel']) expect(page).toContain(`value="${action}"`);
    const target = /action="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&');
    await fetch(sim.url + target, { method: 'POST', body: new URLSearchParams({ action: 'pay' }) });
    expect(await (await fetch(url)).text()).toContain(`https://shop.example.com/back?token=${id}`);
    expect((await orderOf(sim, id)).json).toMatchObject({ status: 'APPROVED' });
  });

  it('is the same one under the same PayPal-Request-Id', async () => {
    const body = orderBody();
    const requestId = freshNumber('Q');
    const [first, second] = [
      await ask(sim, 'POST', '/v2/checkout/orders', body, { requestId }),
      await ask(sim, 'POST', '/v2/checkout/orders', body, { requestId }),
    ];
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.json['id']).toBe(first.json['id']);
    const other = await ask(sim, 'POST', '/v2/checkout/orders', orderBody(), { requestId });
    expect([other.status, issueIn(other.json)]).toEqual([422, 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED']);
    expect((await ask(sim, 'POST', '/v2/checkout/orders', body)).json['id']).not.toBe(first.json['id']);
  });

  it('says little unless asked for all', async () => {
    const { status, json } = await ask(sim, 'POST', '/v2/checkout/orders', orderBody(), { headers: { prefer: '' } });
    expect([status, Object.keys(json)]).toEqual([201, ['id', 'status', 'links']]);
  });

  it('whose card is declined waits for another one', async () => {
    const { id, number } = await opened(sim);
    await control(sim, 'POST', `/payments/${number}`, { action: 'fail' });
    expect(issueIn((await capture(sim, id)).json)).toBe('INSTRUMENT_DECLINED');
    expect((await orderOf(sim, id)).json).toMatchObject({ status: 'PAYER_ACTION_REQUIRED' });
    await pay(sim, number);
    expect((await capture(sim, id)).status).toBe(201);
  });

  it('captures another amount where the payer gives one', async () => {
    const { id, number } = await opened(sim);
    await pay(sim, number, { amount: 1 });
    expect(captureIn((await capture(sim, id)).json)).toMatchObject({ amount: { value: '0.01' } });
  });

  it('lapses after three hours, and again three hours after the yes', async () => {
    let now = Date.now();
    const own = await paypalSimulator(undefined, { now: () => now });
    const [first, second] = [await opened(own), await opened(own)];
    now += 2 * 3600_000;
    await pay(own, second.number);
    now += 2 * 3600_000;
    expect((await orderOf(own, first.id)).status).toBe(404);
    expect((await pay(own, first.number)).status).toBe(409);
    expect((await orderOf(own, second.id)).json).toMatchObject({ status: 'APPROVED' });
    now += 2 * 3600_000;
    expect((await capture(own, second.id)).status).toBe(404);
    await own.stop();
  });

  it('of another app is nobody’s', async () => {
    const { id } = await opened(sim);
    const token = await tokenOf(sim, stranger);
    expect((await ask(sim, 'GET', `/v2/checkout/orders/${id}`, undefined, { token })).status).toBe(404);
  });

  const amount = (currency_code: string, value: string) => ({ amount: { currency_code, value } });
  const wrong: [string, Json, Json, number, string][] = [
    ['another intent', { intent: 'AUTHORIZE' }, {}, 400, 'INVALID_PARAMETER_VALUE'],
    ['no unit', { purchase_units: [] }, {}, 400, 'INVALID_STRING_LENGTH'],
    ['no amount', {}, { amount: undefined }, 400, 'MISSING_REQUIRED_PARAMETER'],
    ['an amount that is none', {}, amount('USD', 'x'), 400, 'INVALID_PARAMETER_SYNTAX'],
    ['a long number', {}, { custom_id: 'x'.repeat(128) }, 400, 'INVALID_STRING_LENGTH'],
    ['a tenth of a cent', {}, amount('USD', '1.999'), 422, 'DECIMAL_PRECISION'],
    ['decimals of the yen', {}, amount('JPY', '1.5'), 422, 'DECIMALS_NOT_SUPPORTED'],
    ['nothing', {}, amount('USD', '0.00'), 422, 'CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['less than nothing', {}, amount('USD', '-1.00'), 422, 'CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['yuan', {}, amount('CNY', '1.00'), 422, 'INVALID_CURRENCY_CODE'],
  ];
  it.each(wrong)('with %s is refused', async (_, changes, unit, status, issue) => {
    const body = orderBody({}, unit);
    const answer = await ask(sim, 'POST', '/v2/checkout/orders', { ...body, ...changes });
    expect([answer.status, issueIn(answer.json)]).toEqual([status, issue]);
  });

  it('that is no JSON, or too much, is refused', async () => {
    expect(issueIn((await ask(sim, 'POST', '/v2/checkout/orders', '{')).json)).toBe('MALFORMED_REQUEST_JSON');
    const text = await ask(sim, 'POST', '/v2/checkout/orders', {}, { headers: { 'content-type': 'text/plain' } });
    expect(text.status).toBe(415);
  });
});

describe('a refund', () => {
  it('is done at once, told, and the same under the same PayPal-Request-Id', async () => {
    const { captureId, number, id } = await paid();
    const body = { ...usd('5.00'), custom_id: freshNumber('PR') };
    const requestId = freshNumber('Q');
    const first = await refund(captureId, body, requestId);
    expect([first.status, first.json['status']]).toEqual([201, 'COMPLETED']);
    const second = await refund(captureId, body, requestId);
    expect([second.status, second.json['id']]).toEqual([200, first.json['id']]);
    expect(issueIn((await refund(captureId, usd('5.01'), requestId)).json)).toBe('PAYPAL_REQUEST_ID_PREVIOUSLY_USED');
    expect(captureIn((await orderOf(sim, id)).json)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
    await eventually(() => expect(events('PAYMENT.CAPTURE.REFUNDED', body.custom_id)).toHaveLength(1));
    expect(await ledgerOf(sim, number)).toMatchObject([{ type: 'capture' }, { type: 'refund', amount: 500 }]);
    const { json } = await ask(sim, 'GET', `/v2/payments/refunds/${String(first.json['id'])}`);
    expect(json).toMatchObject({ status: 'COMPLETED', custom_id: body.custom_id });
  });

  it('waits or fails where the faults say so', async () => {
    const { captureId, number } = await paid();
    await faults(sim, { refund_delay_ms: 200 });
    const slow = await refund(captureId, usd('1.00'));
    expect(slow.json['status']).toBe('PENDING');
    const stateOf = async (id: unknown) => (await ask(sim, 'GET', `/v2/payments/refunds/${String(id)}`)).json['status'];
    await eventually(async () => expect(await stateOf(slow.json['id'])).toBe('COMPLETED'));
    await endFaults(sim);
    await faults(sim, { refund_fails: true });
    const failing = await refund(captureId, usd('18.99'));
    await eventually(async () => expect(await stateOf(failing.json['id'])).toBe('FAILED'));
    await endFaults(sim);
    expect((await refund(captureId, {})).json).toMatchObject({ status: 'COMPLETED', amount: { value: '18.99' } });
    expect(await ledgerOf(sim, number)).toHaveLength(3);
  });

  it('never gives back more than was captured, also at once', async () => {
    const { captureId } = await paid();
    const all = await Promise.all(Array.from({ length: 10 }, () => refund(captureId, usd('8.00'))));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(all.filter(({ json, status }) => status === 422 && issueIn(json) === 'REFUND_AMOUNT_EXCEEDED')).toHaveLength(
      8,
    );
    await refund(captureId, {});
    expect(issueIn((await refund(captureId, usd('0.01'))).json)).toBe('CAPTURE_FULLY_REFUNDED');
  });

  it('needs the currency of the capture, a capture, and time between two with refund_gap_ms', async () => {
    const { captureId } = await paid();
    const eur = { amount: { currency_code: 'EUR', value: '1.00' } };
    expect(issueIn((await refund(captureId, eur)).json)).toBe('REFUND_CAPTURE_CURRENCY_MISMATCH');
    expect((await refund('NOTTHERE', usd('1.00'))).status).toBe(404);
    await refund(captureId, usd('1.00'));
    await faults(sim, { refund_gap_ms: 60_000 });
    expect((await refund(captureId, usd('1.00'))).status).toBe(429);
  });
});

it('an event that is not accepted comes again with its id, as another transmission, signed anew', async () => {
  merchantShop.answer = () => 500;
  await faults(sim, { corrupt_signature: true });
  const { number } = await opened(sim);
  await pay(sim, number);
  const sent = () => events('CHECKOUT.ORDER.APPROVED', number);
  await eventually(() => expect(sent().length).toBeGreaterThan(1));
  expect(await isGenuine(sent()[0]!)).toBe(false);
  await endFaults(sim);
  merchantShop.answer = () => 200;
  await eventually(async () => expect(await isGenuine(sent().at(-1)!)).toBe(true));
  expect(new Set(sent().map(({ json }) => json['id'])).size).toBe(1);
  expect(new Set(sent().map(({ headers }) => headers['paypal-transmission-id'])).size).toBe(sent().length);
});

it('an outage is a 500 before anything happened', async () => {
  const token = await tokenOf(sim);
  await faults(sim, { error_rate: 1 });
  const answer = await ask(sim, 'POST', '/v2/checkout/orders', orderBody(), { token });
  expect([answer.status, answer.json['name']]).toEqual([500, 'INTERNAL_SERVER_ERROR']);
});
