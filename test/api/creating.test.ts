import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../domain/limits.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import { until } from '../support/orders.ts';
import { MERCHANT_KEY, OPERATOR_KEY, OTHER_KEY, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const item = { name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' };
const paths = (answer: { body: { errors?: { path: string }[] } }) => answer.body.errors?.map(({ path }) => path);
const stored = async () => Number((await api.system.db.selectFrom('orders').select('id').execute()).length);

describe('an order is created', () => {
  it('with everything the contract names', async () => {
    const wanted = tea({
      discount: 500,
      delivery_fee: 800,
      delivery: { name: '李雷', phone: '+86 138 0013 8000', address: '1 Example Road' },
      customer: { id: 'u-1', email: 'li@example.com' },
      return_url: 'https://shop.example.com/thanks',
      expires_in: 600,
      metadata: { any: 'strings' },
    });
    const { status, body, headers } = await api.call('POST /v1/orders', wanted);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/orders/${body.id}`);
    expect(body).toMatchObject({
      merchant_order_no: wanted.merchant_order_no,
      delivery: { name: '李雷', phone: '+86 138 0013 8000', address: '1 Example Road' },
      customer: { id: 'u-1', email: 'li@example.com' },
      status: 'pending_payment',
      amounts: { items: 3000, discount: 500, delivery_fee: 800, total: 3300, paid: 0, refunded: 0 },
      confirm: true,
      test: false,
      delivery_timeout: null,
      auto_receipt_after: 1_209_600,
      refund_window: 15_552_000,
      workflow: { id: orderWorkflowId(body.id), run_id: null },
      pickup_code: null,
      checkout_url: expect.stringContaining('/pay/ord_'),
    });
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(600_000);
    const read = await api.call(`GET /v1/orders/${body.id}`);
    expect({ ...read.body, workflow: null }).toEqual({ ...body, workflow: null });
  });

  it('and its workflow runs soon, which its link opens', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const running = await until(
      () => api.call(`GET /v1/orders/${body.id}`),
      (answer) => answer.body.workflow.run_id !== null,
    );
    const { id, run_id, url } = running.body.workflow;
    const { runId } = await api.system.client.workflow.getHandle(id).describe();
    expect(run_id).toBe(runId);
    expect(url).toBe(`http://localhost:8233/namespaces/default/workflows/order%2F${body.id}/${runId}/history`);
    const { data } = (await api.call(`GET /v1/orders/${body.id}/events`)).body;
    expect(data[0]).toMatchObject({ type: 'order.created', actor: { type: 'merchant', name: 'Demo Shop' } });
  });

  it('with personal data that is stored sealed, and that the workflow never sees', async () => {
    const { body } = await api.call('POST /v1/orders', tea({ delivery: { phone: '13800138000' } }));
    const row = await api.system.db
      .selectFrom('orders')
      .selectAll()
      .where('id', '=', body.id)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain('13800138000');
    await until(
      () => api.call(`GET /v1/orders/${body.id}`),
      (answer) => answer.body.workflow.run_id !== null,
    );
    const history = await api.system.client.workflow.getHandle(orderWorkflowId(body.id)).fetchHistory();
    expect(Buffer.from(JSON.stringify(history)).toString('latin1')).not.toContain('13800138000');
  });

  it.each([
    [{ items: [{ ...item, unit_amount: undefined, amount: 1000, quantity: 3 }] }, null, 1000],
    [{ items: [{ ...item, unit_amount: undefined, amount: 999, quantity: 3 }] }, 333, 999],
    [{ items: [{ ...item, unit_amount: 0 }] }, 0, 0],
  ])('with a line’s total, and what one costs where that divides: %j', async (more, unit, amount) => {
    const { body } = await api.call('POST /v1/orders', tea(more));
    expect(body.items[0]).toMatchObject({ unit_amount: unit, amount });
  });

  it('and is paid at once when it costs nothing, or is a test', async () => {
    const free = await api.call('POST /v1/orders', tea({ discount: 3000 }));
    expect(free.body).toMatchObject({ status: 'paid', amounts: { total: 0, paid: 0 } });
    const test = await api.call('POST /v1/orders', tea({ test: true }));
    expect(test.body).toMatchObject({ status: 'processing', amounts: { paid: 3000 } });
    const later = await api.call('POST /v1/orders', tea({ test: true, confirm: false }));
    expect(later.body.status).toBe('awaiting_confirmation');
    const confirmed = await api.call(`POST /v1/orders/${later.body.id}/confirm`);
    expect(confirmed).toMatchObject({ status: 200, body: { amounts: { paid: 3000 } } });
  });
});

describe('what is wrong is refused with its path, and nothing is stored', () => {
  const refused: [string, Record<string, unknown>, string[]][] = [
    ['amount -1', { items: [{ ...item, unit_amount: -1 }] }, ['items.0.unit_amount']],
    ['amount 1.5', { items: [{ ...item, unit_amount: 1.5 }] }, ['items.0.unit_amount']],
    ['amount "1e3"', { items: [{ ...item, unit_amount: '1e3' }] }, ['items.0.unit_amount']],
    ['amount 2^53', { items: [{ ...item, unit_amount: 2 ** 53 }] }, ['items.0.unit_amount']],
    ['quantity 0', { items: [{ ...item, quantity: 0 }] }, ['items.0.quantity']],
    ['quantity 10,000', { items: [{ ...item, quantity: 10_000 }] }, ['items.0.quantity']],
    ['a line above the limit', { items: [{ ...item, unit_amount: LIMITS.amount }] }, ['items.0.unit_amount']],
    [
      'a total above the limit',
      { items: [{ ...item, quantity: 1, unit_amount: LIMITS.amount }], delivery_fee: 1 },
      ['delivery_fee'],
    ],
    ['both amounts', { items: [{ ...item, amount: 3000 }] }, ['items.0.amount']],
    ['no amount', { items: [{ ...item, unit_amount: undefined }] }, ['items.0.unit_amount']],
    ['no items', { items: [] }, ['items']],
    ['a currency that is none', { currency: 'ABC' }, ['currency']],
    ['a currency in small letters', { currency: 'cny' }, ['currency']],
    ['a discount above everything', { discount: 3001 }, ['discount']],
    ['an unknown field', { gift: true }, ['gift']],
    ['an unknown field of an item', { items: [{ ...item, weight: 1 }] }, ['items.0.weight']],
    ['an unknown field of the delivery', { delivery: { zip: '1' } }, ['delivery.zip']],
    ['a fulfilment that is not there', { items: [{ ...item, fulfilment: 'drone' }] }, ['items.0.fulfilment']],
    ['an expiry of 0', { expires_in: 0 }, ['expires_in']],
    ['an expiry too far off', { expires_in: 2_592_001 }, ['expires_in']],
    ['a return URL that is none', { return_url: 'javascript:alert(1)' }, ['return_url']],
    ['too long a name', { items: [{ ...item, name: 'x'.repeat(201) }] }, ['items.0.name']],
    ['metadata that is no string', { metadata: { a: 1 } }, ['metadata.a']],
    ['metadata too long', { metadata: { a: 'x'.repeat(501) } }, ['metadata.a']],
    [
      'too much metadata',
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) },
      ['metadata'],
    ],
    ['U+0000', { delivery: { name: 'a\u0000b' } }, ['delivery.name']],
    ['half a character', { delivery: { name: 'a\ud800b' } }, ['delivery.name']],
    [
      'several at once',
      { currency: 1, discount: '5', items: [{ ...item, quantity: 1.5, name: '' }] },
      ['currency', 'items.0.name', 'items.0.quantity', 'discount'],
    ],
  ];
  it.each(refused)('%s', async (_, more, expected) => {
    const before = await stored();
    const answer = await api.call('POST /v1/orders', tea(more));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', status: 400 } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(paths(answer)?.toSorted()).toEqual(expected.toSorted());
    expect(await stored()).toBe(before);
  });

  it('but a name of 200 characters is not too long, whatever they are', async () => {
    const { status } = await api.call('POST /v1/orders', tea({ items: [{ ...item, name: '🍵'.repeat(200) }] }));
    expect(status).toBe(201);
  });

  it('and what is optional may be null', async () => {
    const { status } = await api.call(
      'POST /v1/orders',
      tea({ discount: null, delivery: null, customer: { id: null }, metadata: null, expires_in: null }),
    );
    expect(status).toBe(201);
  });
});

describe('one order for one number', () => {
  it('is what fifty equal requests with one key come to (scenario 1)', async () => {
    const wanted = tea();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.call('POST /v1/orders', wanted, { idempotencyKey: 'fifty' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(49);
  });

  it('another body with the key is refused; another merchant’s key is another key (scenario 2)', async () => {
    const before = await stored();
    const first = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'second' });
    const other = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'second' });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await stored()).toBe(before + 1);
    const others = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'second', key: OTHER_KEY });
    expect(others.status).toBe(201);
    expect(others.body.id).not.toBe(first.body.id);
  });

  it('a new key with a taken number is told whose it is (scenario 3)', async () => {
    const wanted = tea();
    const first = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'a' });
    const second = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'b' });
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'merchant_order_no_taken', order_id: first.body.id },
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.call('POST /v1/orders', tea({ ...wanted }))),
    );
    expect(new Set(answers.map(({ body }) => body.order_id))).toEqual(new Set([first.body.id]));
    const others = await api.call('POST /v1/orders', wanted, { key: OTHER_KEY });
    expect(others.status).toBe(201);
  });
});

describe('orders are found', () => {
  it('newest first, page by page, while more are added', async () => {
    const numbers: number[] = [];
    const made = async () => (await api.call('POST /v1/orders', tea({ currency: 'EUR' }))).body.number as number;
    for (let i = 0; i < 5; i++) numbers.unshift(await made());
    const seen: number[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page++) {
      const { body } = await api.call(`GET /v1/orders?limit=2${cursor}`);
      seen.push(...body.data.map(({ number }: { number: number }) => number));
      cursor = `&cursor=${body.next_cursor}`;
      await made();
    }
    expect(seen.slice(0, 5)).toEqual(numbers);
  });

  it('by time, given with any offset (scenario 53)', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const at = Date.parse(body.created_at);
    const from = (offset: string, hours: number, ms = 0) =>
      `${new Date(at + ms + hours * 3_600_000).toISOString().slice(0, -1)}${offset}`;
    const find = async (query: string) => {
      const answer = await api.call(`GET /v1/orders?merchant_order_no=${body.merchant_order_no}&${query}`);
      expect(answer.status).toBe(200);
      return answer.body.data.length;
    };
    for (const time of [from('Z', 0), from('%2B08:00', 8), from('+08:00', 8), from('-05:00', -5)]) {
      expect(await find(`created_from=${time}`)).toBe(1);
      expect(await find(`created_to=${time}`)).toBe(0);
    }
    expect(await find(`created_from=${from('Z', 0, 1)}`)).toBe(0);
    expect(await find(`created_to=${from('Z', 0, 1)}`)).toBe(1);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'status=gone',
    'cursor=x',
    'created_from=2026-02-30T00:00:00Z',
    'created_from=2026-02-01',
    'attention=yes',
    'sort=up',
    'merchant_order_no=%00',
    'limit=1&limit=2',
  ])('or refused: %s', async (query) => {
    const answer = await api.call(`GET /v1/orders?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(paths(answer)).toEqual([query.split('=')[0]]);
  });

  it('only by those whose they are (scenario 6)', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const none = await api.call('GET /v1/orders/ord_00000000000000000000');
    const foreign = await api.call(`GET /v1/orders/${body.id}`, undefined, { key: OTHER_KEY });
    expect(foreign).toMatchObject({ status: 404, body: none.body });
    for (const id of ['x', 'ord_1', '%00', `${body.id}0`])
      expect((await api.call(`GET /v1/orders/${id}`)).body).toEqual(none.body);
    const { body: found } = await api.call(`GET /v1/orders?merchant_order_no=${body.merchant_order_no}`, undefined, {
      key: OTHER_KEY,
    });
    expect(found).toEqual({ data: [], next_cursor: null });
  });

  it('with a version, so that what is known is not sent again', async () => {
    const { body } = await api.call('POST /v1/orders', tea());
    const { headers } = await api.call(`GET /v1/orders/${body.id}`);
    const etag = headers.get('etag')!;
    expect(etag).toBe(`"${body.version}"`);
    for (const match of [etag, `W/${etag}`, `"0", ${etag}`, '*']) {
      const again = await api.call(`GET /v1/orders/${body.id}`, undefined, { headers: { 'if-none-match': match } });
      expect(again).toMatchObject({ status: 304, body: '' });
      expect(again.headers.get('etag')).toBe(etag);
    }
    const other = await api.call(`GET /v1/orders/${body.id}`, undefined, { headers: { 'if-none-match': '"0"' } });
    expect(other.status).toBe(200);
  });

  it('live as well, where a workflow runs', async () => {
    const { body } = await api.call('POST /v1/orders', tea({ customer: { id: 'u-1' } }));
    expect((await api.call(`GET /v1/orders/${body.id}?live=true`)).body.customer.id).toBe('u-1');
    await api.call(`POST /v1/orders/${body.id}/payments`, { method: 'wechatpay.native' });
    const live = await api.call(`GET /v1/orders/${body.id}?live=true`);
    const { body: read } = await api.call(`GET /v1/orders/${body.id}`);
    expect(live.body).toEqual(read);
  });
});

it('keys may do what their scopes say', async () => {
  const answer = await api.call('POST /v1/orders', tea(), { key: OPERATOR_KEY });
  expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', scope: 'orders:write' } });
  for (const key of [null, 'sk_test_wrong', `${MERCHANT_KEY} x`]) {
    const unknown = await api.call('GET /v1/orders', undefined, { key });
    expect(unknown).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(unknown.headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
});
