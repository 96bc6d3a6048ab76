import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutToken } from '../../api/checkout-token.ts';
import { addKey, MERCHANT_KEY, OTHER_KEY, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const json = JSON.stringify;

describe('a body', () => {
  const post = (raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    api.call('POST /v1/orders', undefined, { raw, headers });

  it('has to be JSON, and to say so', async () => {
    const problem = { status: 415, body: { code: 'unsupported_media_type' } };
    expect(await post(json(tea()), { 'content-type': 'text/plain' })).toMatchObject(problem);
    expect(await post(json(tea()), { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject(problem);
    expect(await post(json(tea()), { 'content-encoding': 'gzip' })).toMatchObject(problem);
    expect((await post(json(tea()), { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  });

  it.each(['{', '', '[]', 'null', '"text"', '{"a":1}}', Uint8Array.from([0x22, 0xff, 0x22])])(
    'has to be valid: %j',
    async (raw) => {
      const answer = await post(raw);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(answer.body.errors.length).toBeGreaterThan(0);
    },
  );

  it('may not be nested without end, nor bring a prototype', async () => {
    expect(await post('['.repeat(200_000))).toMatchObject({ status: 400 });
    expect(await post(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)).toMatchObject({ status: 400 });
    const answer = await post(json(tea()).replace('{', '{"__proto__":{"test":true},'));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('may have a mebibyte, with or without Content-Length', async () => {
    const problem = { status: 413, body: { code: 'payload_too_large' } };
    expect(await post(' '.repeat(1024 * 1024 + 1))).toMatchObject(problem);
    const padded = json(tea());
    expect((await post(padded + ' '.repeat(1024 * 1024 - padded.length))).status).toBe(201);
    expect(await inChunks(2 * 1024 * 1024)).toBe(413);
  });

  it('may be left out where nothing needs to be said', async () => {
    const { body } = await api.call('POST /v1/orders', tea({ confirm: false }));
    expect((await api.call(`POST /v1/orders/${body.id}/confirm`)).status).toBe(200);
    const empty = await api.call(`POST /v1/orders/${body.id}/confirm`, undefined, { raw: '' });
    expect(empty.status).toBe(200);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }; // As `curl -d ''` says.
    expect((await api.call(`POST /v1/orders/${body.id}/confirm`, undefined, { raw: '', headers })).status).toBe(200);
    expect((await api.call(`POST /v1/orders/${body.id}/confirm`, {})).status).toBe(200);
    const more = await api.call(`POST /v1/orders/${body.id}/confirm`, { sure: true });
    expect(more).toMatchObject({ status: 400, body: { errors: [{ path: 'sure' }] } });
  });
});

/** A body of that many bytes whose length nobody said before. */
function inChunks(size: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${api.url}/v1/orders`, {
      method: 'POST',
      headers: { authorization: `Bearer ${MERCHANT_KEY}`, 'content-type': 'application/json' },
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on('error', reject);
    for (let sent = 0; sent < size; sent += 65_536) request.write(' '.repeat(65_536));
    request.end();
  });
}

describe('a problem', () => {
  it('names the methods that a path knows', async () => {
    for (const [call, allow] of [
      ['PUT /v1/orders', 'GET, HEAD, POST'],
      ['DELETE /v1/orders/ord_1/cancel', 'POST'],
      ['GET /webhooks/wechatpay/demo', 'POST'],
      ['POST /healthz', 'GET, HEAD'],
      ['PATCH /openapi.json', 'GET, HEAD'],
    ] as const) {
      const answer = await api.call(call);
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
      expect(answer.headers.get('allow')?.split(', ').toSorted().join(', ')).toBe(allow);
    }
  });

  it('is what nobody has a name for, whatever stands in the path', async () => {
    const calls = ['GET /v1/orders/', 'DELETE /v1/webhook-endpoints/', 'GET /problems/', 'DELETE /v1/orders/x/'];
    for (const call of calls)
      expect(await api.call(`${call}%00`), call).toMatchObject({ status: 404, body: { code: 'not_found' } });
    for (const call of ['notifications/%00/resend', 'machines/%00/pickup'])
      expect((await api.call(`POST /v1/${call}`, { code: '1' })).status, call).toBe(404);
    const { body } = await api.call('POST /v1/orders', tea());
    const cursor = Buffer.from('events:999999999999999').toString('base64url');
    expect((await api.call(`GET /v1/orders/${body.id}/events?cursor=${cursor}`)).body).toMatchObject({ data: [] });
  });

  it('has the form of RFC 9457, and explains itself', async () => {
    const answer = await api.call('GET /v1/nothing');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toEqual({
      type: '/problems/not_found',
      title: 'There is no such thing',
      status: 404,
      code: 'not_found',
      detail: 'There is no such thing',
    });
    expect((await api.call(`GET ${answer.body.type}`)).body).toContain('There is no such thing');
    expect((await api.call('GET /problems/nothing')).status).toBe(404);
  });

  it('carries the id of its request, and nothing may be kept or guessed', async () => {
    const answer = await api.call('GET /v1/nothing', undefined, { headers: { 'x-request-id': 'abc-1' } });
    expect(answer.headers.get('x-request-id')).toBe('abc-1');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const other = await api.call('GET /v1/nothing', undefined, { headers: { 'x-request-id': 'a b<' } });
    expect(other.headers.get('x-request-id')).not.toBe('a b<');
  });
});

describe('who calls', () => {
  it('is known until the key is revoked, and shortly after', async () => {
    const key = await addKey(api.system, 'sk_test_short', ['orders:read']);
    expect((await api.call('GET /v1/orders', undefined, { key })).status).toBe(200);
    await api.system.db
      .updateTable('api_keys')
      .set({ revoked_at: new Date() })
      .where('id', '=', `key_${key}`)
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 3100));
    expect((await api.call('GET /v1/orders', undefined, { key })).status).toBe(401);
  });

  it('may do one thing per scope', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const id = body.id as string;
    const calls: [string, string, unknown][] = [
      ['orders:read', 'GET /v1/orders', undefined],
      ['orders:read', `GET /v1/orders/${id}`, undefined],
      ['orders:read', 'GET /v1/payment-methods', undefined],
      ['orders:read', `GET /v1/orders/${id}/events`, undefined],
      ['orders:read', 'GET /v1/refunds', undefined],
      ['orders:read', `GET /v1/orders/${id}/refunds/ref_1`, undefined],
      ['orders:read', `GET /v1/orders/${id}/payments/pay_1`, undefined],
      ['orders:write', 'POST /v1/orders', {}],
      ['orders:write', `POST /v1/orders/${id}/confirm`, {}],
      ['orders:write', `POST /v1/orders/${id}/cancel`, { reason: 1 }],
      ['orders:write', `POST /v1/orders/${id}/receipt`, {}],
      ['orders:write', `POST /v1/orders/${id}/review`, {}],
      ['orders:write', `POST /v1/orders/${id}/retry`, {}],
      ['payments:write', `POST /v1/orders/${id}/payments`, {}],
      ['refunds:write', `POST /v1/orders/${id}/refunds`, {}],
      ['refunds:review', `POST /v1/orders/${id}/refunds/ref_1/approve`, {}],
      ['refunds:review', `POST /v1/orders/${id}/refunds/ref_1/reject`, {}],
      ['payments:resolve', `POST /v1/orders/${id}/payments/pay_1/resolve`, {}],
      ['deliveries:write', `POST /v1/orders/${id}/items/itm_1/delivery`, {}],
      ['deliveries:write', `POST /v1/orders/${id}/items/itm_1/redeliver`, {}],
      ['admin', `DELETE /v1/orders/${id}/personal-data`, undefined],
    ];
    const scopes = [...new Set(calls.map(([scope]) => scope))];
    for (const scope of scopes) {
      const key = await addKey(api.system, `sk_test_${scope}`, [scope as never]);
      for (const [needed, call, content] of calls) {
        const { status, body: said } = await api.call(call, content, { key });
        if (needed === scope) expect(status, `${call} with ${scope}`).not.toBe(403);
        else expect([status, said.code, said.scope], `${call} with ${scope}`).toEqual([403, 'forbidden', needed]);
      }
    }
  });

  it('sees nothing of another merchant, whatever it asks for', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const item = body.items[0].id;
    for (const [call, content] of [
      [`GET /v1/orders/${body.id}`, undefined],
      [`GET /v1/orders/${body.id}/events`, undefined],
      [`POST /v1/orders/${body.id}/confirm`, {}],
      [`POST /v1/orders/${body.id}/cancel`, { reason: 'x' }],
      [`POST /v1/orders/${body.id}/payments`, { method: 'wechatpay.native' }],
      [`POST /v1/orders/${body.id}/refunds`, { reason: 'x' }],
      [`POST /v1/orders/${body.id}/items/${item}/delivery`, { status: 'delivered' }],
      [`POST /v1/orders/${body.id}/items/${item}/redeliver`, {}],
      [`POST /v1/orders/${body.id}/receipt`, {}],
      [`POST /v1/orders/${body.id}/retry`, {}],
      [`DELETE /v1/orders/${body.id}/personal-data`, undefined],
    ] as const) {
      const foreign = await api.call(call, content, { key: OTHER_KEY });
      const none = await api.call(call.replace(body.id, 'ord_00000000000000000000'), content, { key: OTHER_KEY });
      expect(foreign, call).toMatchObject({ status: 404, body: none.body });
    }
  });
});

describe('a customer with a checkout token', () => {
  const order = async (more = {}) => (await api.call('POST /v1/orders', tea(more))).body;

  it('sees the own order, with phone and address masked', async () => {
    const delivery = { name: '李雷', phone: '+86 138 0013 8000', address: '浙江省杭州市西湖区文三路1号' };
    const { id } = await order({ delivery, metadata: { a: 'b' } });
    const key = checkoutToken(api.sealer, id);
    const { status, body } = await api.call(`GET /v1/orders/${id}`, undefined, { key });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, metadata: null, workflow: null });
    expect(body.checkout_url).toBe(`${api.url}/pay/${id}?token=${key}`);
    expect(body.delivery).toEqual({ name: '李雷', phone: '+86****8000', address: '浙江省杭州市****' });
  });

  it('no other one, and nothing that is the merchant’s', async () => {
    const { id } = await order();
    const other = await order();
    const key = checkoutToken(api.sealer, id);
    expect((await api.call(`GET /v1/orders/${other.id}`, undefined, { key })).status).toBe(404);
    for (const [call, content] of [
      ['GET /v1/orders', undefined],
      ['GET /v1/refunds', undefined],
      ['POST /v1/orders', tea()],
      [`POST /v1/orders/${id}/retry`, {}],
      [`POST /v1/orders/${id}/items/itm_1/delivery`, { status: 'delivered' }],
      [`POST /v1/orders/${id}/refunds/ref_1/approve`, {}],
      [`DELETE /v1/orders/${id}/personal-data`, undefined],
    ] as const)
      expect(await api.call(call, content, { key })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('can not make a token up', async () => {
    const { id } = await order();
    const token = checkoutToken(api.sealer, id);
    const lastChanged = ['A', 'Q', 'g', 'w', '0', '_', '-']
      .map((letter) => token.slice(0, -1) + letter)
      .filter((key) => key !== token);
    const inside = token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4);
    for (const key of [...lastChanged, inside, token.slice(0, -1), `ct_${'0'.repeat(20)}_${'A'.repeat(43)}`, id])
      expect((await api.call(`GET /v1/orders/${id}`, undefined, { key })).status).toBe(401);
  });

  it('confirms, pays, cancels', async () => {
    const { id } = await order({ confirm: false });
    const key = checkoutToken(api.sealer, id);
    const early = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' }, { key });
    expect(early).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect((await api.call(`POST /v1/orders/${id}/confirm`, {}, { key })).body.status).toBe('pending_payment');
    const sent = { method: 'wechatpay.native', return_url: 'https://shop.example.com' };
    expect(await api.call(`POST /v1/orders/${id}/payments`, sent, { key })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'return_url' }] },
    });
    const methods = await api.call('GET /v1/payment-methods', undefined, { key });
    expect(methods.body.data).toContainEqual({
      method: 'wechatpay.native',
      provider: 'wechatpay',
      available: true,
      reason: null,
    });
    const payment = await api.call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' }, { key });
    expect(payment.status).toBe(201);
    const cancelled = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'not now' }, { key });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', cancel_reason: 'customer' } });
    const again = await api.call(`POST /v1/orders/${id}/cancel`, { reason: 'not now' }, { key });
    expect(again.body).toEqual(cancelled.body);
  });
});

describe('an Idempotency-Key', () => {
  it('has 1 to 255 characters', async () => {
    for (const [length, status] of [
      [255, 201],
      [256, 400],
    ] as const) {
      const answer = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'k'.repeat(length) });
      expect(answer.status).toBe(status);
    }
    const empty = await api.call('POST /v1/orders', tea(), { idempotencyKey: '' });
    expect(empty).toMatchObject({ status: 400, body: { errors: [{ path: 'Idempotency-Key' }] } });
  });

  it('keeps refusals as well, and answers them the same way', async () => {
    const first = await api.call('POST /v1/orders', { a: 1 }, { idempotencyKey: 'wrong' });
    const second = await api.call('POST /v1/orders', { a: 1 }, { idempotencyKey: 'wrong' });
    expect([first.status, second.status]).toEqual([400, 400]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('content-type')).toBe('application/problem+json');
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
  });

  it('repeats no answer to a key that has lost its scope', async () => {
    const key = await addKey(api.system, 'sk_test_losing', ['orders:write']);
    const wanted = tea();
    expect((await api.call('POST /v1/orders', wanted, { key, idempotencyKey: 'once' })).status).toBe(201);
    await api.system.db
      .updateTable('api_keys')
      .set({ scopes: ['orders:read'] })
      .where('id', '=', `key_${key}`)
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 3100));
    expect((await api.call('POST /v1/orders', wanted, { key, idempotencyKey: 'once' })).status).toBe(403);
  });

  it('is another one for another path, and another key', async () => {
    const one = await api.call('POST /v1/orders', tea({ confirm: false }), { idempotencyKey: 'path' });
    const two = await api.call(`POST /v1/orders/${one.body.id}/confirm`, {}, { idempotencyKey: 'path' });
    expect(two).toMatchObject({ status: 200, body: { status: 'pending_payment' } });
  });

  it('keeps its answers sealed', async () => {
    await api.call('POST /v1/orders', tea({ delivery: { phone: '13912345678' } }), { idempotencyKey: 'sealed' });
    const rows = await api.system.db.selectFrom('idempotency_keys').selectAll().where('key', '=', 'sealed').execute();
    expect(rows[0]?.status).toBe(201);
    expect(JSON.stringify(rows)).not.toContain('13912345678');
  });
});
