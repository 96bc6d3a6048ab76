import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isVouchedFor } from '../../providers/certificate-chain.ts';
import { signedText, trustedCertificates } from '../../providers/paypal-events.ts';
import { amountFor, moneyOf } from '../../providers/paypal-money.ts';
import { payPal } from '../../providers/paypal.ts';
import { NoticeRejected, ProviderError } from '../../providers/provider.ts';
import {
  account,
  attempt,
  captured,
  CAPTURE_ID,
  certificate,
  certificateBelow,
  completed,
  edge,
  event,
  eventHeaders,
  keys,
  middle,
  NOW,
  order,
  ORDER_ID,
  payment,
  refunded,
  refundRequest,
  refusal,
  root,
  vector,
} from './paypal-peer.ts';

type Seen = { method: string; path: string; headers: IncomingHttpHeaders; body: string };
type Said = { status: number; body?: unknown; headers?: Record<string, string> };

/** Answers calls as told, and asks for tokens with new ones. */
function startPeer() {
  const seen: Seen[] = [];
  const peer = {
    seen,
    baseUrl: '',
    tokens: 0,
    token: ((): Said => ({
      status: 200,
      body: { access_token: `T${(peer.tokens += 1)}`, expires_in: 32_400 },
    })) as () => Said,
    answer: (() => ({ status: 500 })) as (call: Seen) => Said,
    stop: (): void => undefined,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const call = { method, path, headers, body: Buffer.concat(chunks).toString() };
      const isToken = path === '/v1/oauth2/token';
      if (!isToken) seen.push(call);
      const { status, body, headers: more } = isToken ? peer.token() : peer.answer(call);
      response.writeHead(status, more).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  return new Promise<typeof peer>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      peer.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      peer.stop = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve(peer);
    });
  });
}

let peer: Awaited<ReturnType<typeof startPeer>>;
let secrets = 0;
let adapter: ReturnType<typeof payPal>;
beforeAll(async () => {
  peer = await startPeer();
});
beforeEach(() => {
  peer.seen.length = 0;
  // Tokens are kept by whom they are for: another secret is another one.
  adapter = payPal({ ...account, clientSecret: `secret${(secrets += 1)}` }, edge(peer.baseUrl));
});
afterAll(() => peer.stop());
const says = (body: unknown, status = 200): void => void (peer.answer = () => ({ status, body }));

async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

describe('amounts', () => {
  it.each([
    [1999, 'USD', '19.99'],
    [5, 'EUR', '0.05'],
    [1500, 'JPY', '1500'],
    [150_000, 'HUF', '1500'],
    [99_999_999_999, 'USD', '999999999.99'],
  ])('%i %s is %s, both ways', (amount, currency, value) => {
    expect(amountFor({ amount, currency })).toEqual({ currency_code: currency, value });
    expect(moneyOf({ currency_code: currency, value })).toEqual({ amount, currency });
  });

  it.each([
    [1, 'HUF'],
    [0, 'USD'],
    [-1, 'USD'],
    [1.5, 'USD'],
    [1, 'KWD'],
  ])('%d %s can not be written', (amount, currency) => {
    expect(() => amountFor({ amount, currency })).toThrow(ProviderError);
  });

  it.each(['', '1.', '.5', '-1.00', '1,00', '1.999', '1e3', 'NaN', '1.5 '])('%j is no amount', (value) => {
    expect(moneyOf({ currency_code: 'USD', value })).toBeUndefined();
  });
});

describe('open', () => {
  it('asks for an order under our number, and leads the payer to it', async () => {
    says(order(), 201);
    expect(await adapter.open(attempt)).toEqual({
      action: { type: 'redirect', url: `https://www.paypal.com/checkoutnow?token=${ORDER_ID}` },
      reference: ORDER_ID,
    });
    const [{ method, path, headers, body }] = peer.seen as [Seen];
    expect([method, path]).toEqual(['POST', '/v2/checkout/orders']);
    expect(headers).toMatchObject({ 'paypal-request-id': 'O1', prefer: 'return=representation' });
    expect(JSON.parse(body)).toMatchObject({
      intent: 'CAPTURE',
      purchase_units: [{ reference_id: 'ord_1', custom_id: 'O1', amount: { currency_code: 'USD', value: '19.99' } }],
      payment_source: { paypal: { experience_context: { return_url: attempt.returnUrl, user_action: 'PAY_NOW' } } },
    });
  });

  it('takes the link of older orders too; without any there is nothing to show', async () => {
    says(order({ status: 'CREATED', links: [{ rel: 'approve', href: 'https://www.paypal.com/x' }] }));
    expect(await adapter.open(attempt)).toMatchObject({ action: { url: 'https://www.paypal.com/x' } });
    for (const answer of [order({ links: [] }), order({}, { custom_id: 'O2' }), {}, 'x', null]) {
      says(answer);
      expect((await errorOf(adapter.open(attempt))).outcome).toBe('unknown');
    }
  });

  it('refuses other methods and amounts before anything is sent', async () => {
    expect((await errorOf(adapter.open({ ...attempt, method: 'unionpay.qr' }))).code).toBe('unsupported_method');
    const forints = { ...attempt, money: { amount: 1, currency: 'HUF' } };
    expect((await errorOf(adapter.open(forints))).code).toBe('unsupported_amount');
    expect(peer.seen).toEqual([]);
  });
});

describe('query', () => {
  const paid = {
    state: 'paid',
    tradeNo: CAPTURE_ID,
    money: { amount: 1999, currency: 'USD' },
    paidAt: Date.parse('2026-11-21T02:01:00Z'),
  };
  const states: [string, object, object][] = [
    ['waiting', order(), { state: 'pending' }],
    ['created', order({ status: 'CREATED' }), { state: 'pending' }],
    ['approved', order({ status: 'APPROVED' }), { state: 'approved' }],
    ['voided', order({ status: 'VOIDED' }), { state: 'closed' }],
    ['captured', completed(), paid],
    ['partly refunded', completed({ status: 'PARTIALLY_REFUNDED' }), paid],
    ['refunded', completed({ status: 'REFUNDED' }), paid],
    ['under review', completed({ status: 'PENDING' }), { state: 'processing' }],
    ['declined', completed({ status: 'DECLINED' }), { state: 'failed', reason: 'DECLINED' }],
    [
      'declined, then captured',
      order(
        { status: 'COMPLETED' },
        { payments: { captures: [captured({ id: 'X', status: 'DECLINED' }), captured()] } },
      ),
      paid,
    ],
  ];
  it.each(states)('%s', async (_, answer, report) => {
    says(answer);
    expect(await adapter.query(payment)).toEqual(report);
    expect(peer.seen[0]).toMatchObject({ method: 'GET', path: `/v2/checkout/orders/${ORDER_ID}` });
  });

  it('completed without a capture is no money, nor is a state that we never heard of', async () => {
    for (const answer of [order({ status: 'COMPLETED' }), order({ status: 'X' }), completed({ status: 'X' })]) {
      says(answer);
      expect((await errorOf(adapter.query(payment))).outcome).toBe('unknown');
    }
  });

  it('an order that lapsed is closed; one whose id we never learnt is unknown', async () => {
    says(refusal('RESOURCE_NOT_FOUND', 'INVALID_RESOURCE_ID'), 404);
    expect(await adapter.query(payment)).toEqual({ state: 'closed' });
    expect(await adapter.query({ ...payment, reference: null })).toEqual({ state: 'unknown' });
  });

  it.each([
    ['another order', order({ id: 'X' })],
    ['another number', order({}, { custom_id: 'O2' })],
    ['another payee', order({}, { payee: { merchant_id: 'X' } })],
  ])('an answer about %s is none', async (_, answer) => {
    says(answer);
    expect(await errorOf(adapter.query(payment))).toMatchObject({ outcome: 'unknown', code: 'order_mismatch' });
  });
});

describe('capture', () => {
  it('takes what was approved', async () => {
    says(completed(), 201);
    expect(await adapter.capture!(payment)).toMatchObject({ state: 'paid', tradeNo: CAPTURE_ID });
    expect(peer.seen[0]).toMatchObject({ method: 'POST', path: `/v2/checkout/orders/${ORDER_ID}/capture`, body: '{}' });
    expect(peer.seen[0]!.headers).not.toHaveProperty('paypal-request-id');
  });

  it('that was done before is asked about', async () => {
    peer.answer = ({ method }) =>
      method === 'GET'
        ? { status: 200, body: completed() }
        : { status: 422, body: refusal('UNPROCESSABLE_ENTITY', 'ORDER_ALREADY_CAPTURED') };
    expect(await adapter.capture!(payment)).toMatchObject({ state: 'paid' });
  });

  it.each([
    ['INSTRUMENT_DECLINED', { state: 'failed', reason: 'INSTRUMENT_DECLINED', mayYetBePaid: true }],
    ['TRANSACTION_REFUSED', { state: 'failed', reason: 'TRANSACTION_REFUSED' }],
    ['INVALID_RESOURCE_ID', { state: 'closed' }],
  ])('%s', async (issue, report) => {
    says(refusal('UNPROCESSABLE_ENTITY', issue), 422);
    expect(await adapter.capture!(payment)).toEqual(report);
  });

  it('whose answer is lost is unknown', async () => {
    says('x', 502);
    expect((await errorOf(adapter.capture!(payment))).outcome).toBe('unknown');
  });
});

describe('refund', () => {
  it('has our number as its identity', async () => {
    says(refunded(), 201);
    expect(await adapter.refund(refundRequest)).toEqual({
      state: 'succeeded',
      settledAt: Date.parse('2026-11-21T02:02:00Z'),
    });
    const [{ path, headers, body }] = peer.seen as [Seen];
    expect(path).toBe(`/v2/payments/captures/${CAPTURE_ID}/refund`);
    expect(headers['paypal-request-id']).toBe('O1r1');
    expect(JSON.parse(body)).toEqual({
      amount: { currency_code: 'USD', value: '5.00' },
      custom_id: 'O1r1',
      note_to_payer: 'merchant',
    });
  });

  it.each([
    ['PENDING', { state: 'processing' }],
    ['FAILED', { state: 'failed', reason: 'FAILED' }],
    ['CANCELLED', { state: 'failed', reason: 'CANCELLED' }],
  ])('%s', async (status, report) => {
    says(refunded({ status }), 201);
    expect(await adapter.refund(refundRequest)).toEqual(report);
    says(completed({}, [refunded({ custom_id: 'O1r0' }), refunded({ status })]));
    expect(await adapter.queryRefund(refundRequest)).toEqual(report);
  });

  it('that does not stand in its order was never made', async () => {
    says(completed());
    expect(await adapter.queryRefund(refundRequest)).toEqual({ state: 'unknown' });
  });

  it('an answer about another number, amount or order is none', async () => {
    const eur = { currency_code: 'EUR', value: '5.00' };
    for (const other of [
      { custom_id: 'O1r2' },
      { amount: eur },
      { amount: { ...eur, currency_code: 'USD', value: '5.01' } },
    ]) {
      says(refunded(other), 201);
      expect((await errorOf(adapter.refund(refundRequest))).code).toBe('refund_mismatch');
    }
    says(order({ id: 'X' }));
    expect((await errorOf(adapter.queryRefund(refundRequest))).code).toBe('order_mismatch');
  });
});

describe('an error', () => {
  it.each([
    [400, refusal('INVALID_REQUEST', 'MISSING_REQUIRED_PARAMETER'), 'refused', 'MISSING_REQUIRED_PARAMETER'],
    [403, refusal('NOT_AUTHORIZED', 'PERMISSION_DENIED'), 'refused', 'PERMISSION_DENIED'],
    [422, refusal('UNPROCESSABLE_ENTITY', 'REFUND_AMOUNT_EXCEEDED'), 'refused', 'REFUND_AMOUNT_EXCEEDED'],
    [409, refusal('RESOURCE_CONFLICT', 'PREVIOUS_REQUEST_IN_PROGRESS'), 'unknown', 'PREVIOUS_REQUEST_IN_PROGRESS'],
    [429, refusal('RATE_LIMIT_REACHED'), 'busy', 'RATE_LIMIT_REACHED'],
    [500, refusal('INTERNAL_SERVER_ERROR'), 'unknown', 'INTERNAL_SERVER_ERROR'],
    [503, 'x', 'unknown', 'HTTP_503'],
    [404, '<html>', 'unknown', 'HTTP_404'],
    [302, '', 'unknown', 'HTTP_302'],
  ])('%i %j is %s', async (status, body, outcome, code) => {
    says(body, status);
    expect(await errorOf(adapter.refund(refundRequest))).toMatchObject({ outcome, code });
  });
});

describe('tokens', () => {
  it('are kept, shared by calls at once, and renewed before their end', async () => {
    let now = NOW;
    const mine = payPal({ ...account, clientSecret: 'tokens' }, edge(peer.baseUrl, { now: () => now }));
    says(order());
    const before = peer.tokens;
    await Promise.all([mine.query(payment), mine.query(payment), mine.query(payment)]);
    await payPal({ ...account, clientSecret: 'tokens' }, edge(peer.baseUrl)).query(payment);
    expect(peer.tokens).toBe(before + 1);
    now += 32_400_000 - 60_000;
    await mine.query(payment);
    expect(peer.tokens).toBe(before + 2);
  });

  it('that ended early are renewed once', async () => {
    says(order());
    await adapter.query(payment);
    const before = peer.tokens;
    const spent = peer.seen[0]!.headers.authorization;
    peer.answer = ({ headers }) =>
      headers.authorization === spent
        ? { status: 401, body: refusal('AUTHENTICATION_FAILURE') }
        : { status: 200, body: order() };
    await Promise.all([adapter.query(payment), adapter.query(payment)]);
    expect(peer.tokens).toBe(before + 1);
    says(refusal('AUTHENTICATION_FAILURE'), 401);
    expect(await errorOf(adapter.query(payment))).toMatchObject({ outcome: 'refused', code: 'AUTHENTICATION_FAILURE' });
  });

  it('that can not be had: nothing was asked yet, so it can wait; wrong credentials are final', async () => {
    const usual = peer.token;
    peer.token = () => ({ status: 503, headers: { 'retry-after': '7' } });
    expect(await errorOf(adapter.refund(refundRequest))).toMatchObject({ outcome: 'busy', retryAfterMs: 7000 });
    peer.token = () => ({ status: 401, body: { error: 'invalid_client' } });
    expect(await errorOf(adapter.refund(refundRequest))).toMatchObject({ outcome: 'refused', code: 'invalid_client' });
    peer.token = usual;
    says(refunded());
    expect(await adapter.refund(refundRequest)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a notice', () => {
  let certificates = 0;
  /** Every certificate at an address of its own: they are kept. */
  const certUrl = (pem = certificate(), status = 200): string => {
    peer.answer = () => ({ status, body: pem });
    return `${peer.baseUrl}/v1/notifications/certs/CERT-${(certificates += 1)}`;
  };
  const read = (body: string, headers: Headers) => adapter.readNotice({ headers, body: Buffer.from(body) });
  const good = event('PAYMENT.CAPTURE.COMPLETED', captured());

  it('the published vector: text and signature; its certificate is one of a test, not of PayPal', async () => {
    const { headers, body, webhook_id, canonical } = vector;
    const transmission = { id: headers['PAYPAL-TRANSMISSION-ID']!, time: headers['PAYPAL-TRANSMISSION-TIME']! };
    expect(signedText(transmission, webhook_id, Buffer.from(body))).toBe(canonical);
    const readWith = (pem: string) => {
      const fetch = async () => new Response(pem);
      const url = `${headers['PAYPAL-CERT-URL']}${(certificates += 1)}`;
      const own = payPal(account, edge('https://api-m.paypal.com', { fetch }));
      return own.readNotice({ headers: new Headers({ ...headers, 'PAYPAL-CERT-URL': url }), body: Buffer.from(body) });
    };
    expect(await readWith(certificate())).toEqual({
      id: 'WH-58D329510W468432D-8HN650336L201105X',
      account: { merchantNo: account.merchantId, appId: null },
      about: 'payment',
      outTradeNo: 'O1',
      payment: {
        state: 'paid',
        tradeNo: CAPTURE_ID,
        money: { amount: 1999, currency: 'USD' },
        paidAt: Date.parse('2026-11-21T02:01:00Z'),
      },
    });
    await expect(readWith(keys['paypal_webhook']!['cert_pem']!)).rejects.toThrow("not PayPal's certificate");
  });

  it.each([
    ['CHECKOUT.ORDER.APPROVED', order({ status: 'APPROVED' }), { outTradeNo: 'O1', payment: { state: 'approved' } }],
    ['PAYMENT.CAPTURE.PENDING', captured({ status: 'PENDING' }), { payment: { state: 'processing' } }],
    ['PAYMENT.CAPTURE.DENIED', captured({ status: 'DECLINED' }), { payment: { state: 'failed' } }],
    ['PAYMENT.CAPTURE.REFUNDED', refunded(), { outTradeNo: null, outRefundNo: 'O1r1', refund: { state: 'succeeded' } }],
  ])('%s', async (type, resource, said) => {
    const body = event(type, resource);
    expect(await read(body, eventHeaders(body, { certUrl: certUrl() }))).toMatchObject(said);
  });

  it('for another payee is told as it is', async () => {
    const body = event('PAYMENT.CAPTURE.COMPLETED', captured({ payee: { merchant_id: 'X' } }));
    const notice = await read(body, eventHeaders(body, { certUrl: certUrl() }));
    expect(adapter.isOurs(notice.account)).toBe(false);
    expect(adapter.isOurs({ merchantNo: account.merchantId, appId: null })).toBe(true);
  });

  it.each([
    ['CUSTOMER.DISPUTE.CREATED', {}],
    ['PAYMENT.CAPTURE.REFUNDED', refunded({ custom_id: undefined })],
    ['PAYMENT.CAPTURE.COMPLETED', captured({ custom_id: undefined })],
  ])('%s that no order of ours waits for is of no interest', async (type, resource) => {
    const body = event(type, resource);
    const error = await errorOf(read(body, eventHeaders(body, { certUrl: certUrl() })));
    expect([error.outcome, error.code]).toEqual(['refused', 'unhandled_notice']);
  });

  it('is refused unless PayPal signed it for our webhook', async () => {
    const url = certUrl();
    const headers = (changes: Parameters<typeof eventHeaders>[1]) => eventHeaders(good, changes);
    const without = (name: string) => {
      const rest = headers({ certUrl: url });
      rest.delete(name);
      return rest;
    };
    const flaws: [string, string, Headers][] = [
      ['signature does not hold', good.replace('19.99', '99.99'), headers({ certUrl: url })],
      ['signature does not hold', `${good} `, headers({ certUrl: url })],
      ['signature does not hold', good.slice(0, -1), headers({ certUrl: url })],
      ['signature does not hold', good, headers({ certUrl: url, webhookId: 'AAAAAAAAAAAAAAAAA' })],
      ['signature does not hold', good, headers({ certUrl: url, key: keys['alipay_app']!['private_pkcs8_pem']! })],
      ['signed in an unknown way', good, headers({ certUrl: url, algorithm: 'SHA1withRSA' })],
      ['not signed', good, without('paypal-transmission-sig')],
      ['not signed', good, without('paypal-transmission-id')],
      ['not signed', good, new Headers()],
      ['too large', `${good}${' '.repeat(70_000)}`, headers({ certUrl: url })],
    ];
    for (const [flaw, body, given] of flaws) {
      const error: unknown = await read(body, given).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NoticeRejected);
      expect((error as Error).message).toBe(`paypal notice: ${flaw}`);
    }
    expect(await read(good, headers({ certUrl: url }))).toMatchObject({ outTradeNo: 'O1' });
  });

  it('is refused where its certificate is not at PayPal’s: nothing is fetched from elsewhere', async () => {
    const host = new URL(peer.baseUrl).host;
    for (const url of [
      'https://paypal.com.evil.example/v1/notifications/certs/x',
      'http://api.paypal.com/v1/notifications/certs/x',
      'https://api.paypal.com:444/v1/notifications/certs/x',
      'https://api.paypal.com/elsewhere/x',
      'https://api.paypal.com@evil.example/v1/notifications/certs/x',
      `http://user@${host}/v1/notifications/certs/x`,
      `http://${host}/v1/notifications/certs/../../../x`,
      'file:///etc/passwd',
      'x',
    ])
      await expect(read(good, eventHeaders(good, { certUrl: url }))).rejects.toThrow(NoticeRejected);
    expect(peer.seen).toEqual([]);
  });

  it('is refused with a certificate of another name, of another time, or none', async () => {
    for (const CN of ['evil.example', 'paypal.com.evil.example']) {
      const url = certUrl(certificate(CN));
      await expect(read(good, eventHeaders(good, { certUrl: url }))).rejects.toThrow("not PayPal's certificate");
    }
    const expired = certUrl(certificate(undefined, NOW - 1000));
    await expect(read(good, eventHeaders(good, { certUrl: expired }))).rejects.toThrow('not valid now');
    const nonsense = certUrl('x');
    await expect(read(good, eventHeaders(good, { certUrl: nonsense }))).rejects.toThrow('no readable certificate');
    const gone = certUrl('x', 404);
    await expect(read(good, eventHeaders(good, { certUrl: gone }))).rejects.toThrow('no such certificate');
  });

  it('is refused unless somebody trusted vouches for its certificate, over those that come with it', async () => {
    const readWith = (pem: string, by = adapter) =>
      by.readNotice({ headers: eventHeaders(good, { certUrl: certUrl(pem) }), body: Buffer.from(good) });
    expect(await readWith(`${certificateBelow()}${middle()}`)).toMatchObject({ id: 'WH-1-2' });
    for (const others of ['', middle(NOW - 1000), middle(undefined, false)])
      await expect(readWith(`${certificateBelow()}${others}`)).rejects.toThrow('vouches');
    const { trustedCertificates: _none, ...plain } = account;
    const trusting = (trust: object) => payPal({ ...plain, ...trust }, edge(peer.baseUrl));
    await expect(readWith(`${certificate()}${root}`, trusting({}))).rejects.toThrow('vouches');
    const pinned = certificate();
    expect(await readWith(pinned, trusting({ trustedCertificates: pinned }))).toMatchObject({ id: 'WH-1-2' });
    expect(() => trusting({ trustedCertificates: 'x' })).toThrow('paypal trustedCertificates: no certificate');
  });

  it('is believed where the system’s roots vouch for it', () => {
    const [first] = rootCertificates.map((pem) => new X509Certificate(pem));
    expect(trustedCertificates()).toHaveLength(rootCertificates.length);
    expect(isVouchedFor(first!, [], trustedCertificates(), Date.parse(first!.validTo) - 1000)).toBe(true);
    expect(isVouchedFor(first!, [], trustedCertificates(), Date.parse(first!.validTo) + 1000)).toBe(false);
  });

  it('whose certificate can not be had now comes again', async () => {
    const url = certUrl('x', 503);
    expect((await errorOf(read(good, eventHeaders(good, { certUrl: url })))).outcome).toBe('busy');
    peer.answer = () => ({ status: 200, body: certificate() });
    expect(await read(good, eventHeaders(good, { certUrl: url }))).toMatchObject({ id: 'WH-1-2' });
    const asked = peer.seen.length;
    await read(good, eventHeaders(good, { certUrl: url }));
    expect(peer.seen).toHaveLength(asked); // It is kept.
  });

  it('is answered by a status', () => {
    const statusOf = (outcome: 'accepted' | 'failed' | 'rejected') => adapter.acknowledge(outcome).status;
    expect([statusOf('accepted'), statusOf('failed'), statusOf('rejected')]).toEqual([200, 500, 401]);
  });
});
