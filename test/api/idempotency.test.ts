import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProviderProblem } from '../../client/refused.ts';
import type { OrderGateway } from '../../client/gateway.ts';
import { connect } from '../../db/connect.ts';
import { forgetOldKeys } from '../../db/idempotency.ts';
import { anotherApi, startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.stop());

const order = async (more = {}) => (await api.call('POST /v1/orders', tea(more))).body;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Holds every wish until it is let go. */
function heldGateway(): { gateway: OrderGateway; release: () => void } {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  return {
    gateway: { ...api.deps.gateway, ask: (...args) => held.then(() => api.deps.gateway.ask(...args)) },
    release,
  };
}

describe('while the first request runs', () => {
  it('another process waits for its answer', async () => {
    const { id } = await order({ confirm: false });
    const { gateway, release } = heldGateway();
    const first = anotherApi(api, { gateway })(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'a' });
    await sleep(200);
    const second = api.call(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'a' });
    const other = await api.call(`POST /v1/orders/${id}/confirm`, { a: 1 }, { idempotencyKey: 'a' });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    await sleep(500);
    release();
    expect(await second).toMatchObject({ status: 200, body: (await first).body });
    expect((await second).headers.get('idempotency-replayed')).toBe('true');
  });

  it('but not for ever: after ten seconds it is told so', async () => {
    const { id } = await order({ confirm: false });
    const { gateway, release } = heldGateway();
    const slow = anotherApi(api, { gateway });
    const first = slow(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'b' });
    await sleep(200);
    const began = Date.now();
    const answers = await Promise.all([
      api.call(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'b' }),
      slow(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'b' }),
    ]);
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_key_in_progress' } });
    expect(Date.now() - began).toBeGreaterThan(9_500);
    expect(Date.now() - began).toBeLessThan(12_000);
    release();
    expect((await first).status).toBe(200);
  });
});

describe('a failure of ours is not kept', () => {
  it('and the same key goes on: the order that was created is answered', async () => {
    const wanted = tea();
    // It is created, but its answer gets lost on the way out.
    const failing = anotherApi(api, {
      temporalUi: {
        namespace: 'x',
        get url(): string {
          throw new Error('no answer');
        },
      },
    });
    const first = await failing('POST /v1/orders', wanted, { idempotencyKey: 'c' });
    expect(first).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(first.body)).not.toContain('no answer');
    const { body } = await api.call(`GET /v1/orders?merchant_order_no=${wanted.merchant_order_no}`);
    const second = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'c' });
    expect(second).toMatchObject({ status: 201, body: { id: body.data[0].id } });
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    const third = await api.call('POST /v1/orders', wanted, { idempotencyKey: 'c' });
    expect(third.headers.get('idempotency-replayed')).toBe('true');
  });

  it('but another body with it is another request all the same', async () => {
    const failing = anotherApi(api, {
      gateway: { ...api.deps.gateway, ask: () => Promise.reject(new Error('broken')) },
    });
    const { id } = await order({ confirm: false });
    expect((await failing(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'd' })).status).toBe(500);
    const other = await api.call(`POST /v1/orders/${id}/confirm`, undefined, { idempotencyKey: 'd' });
    expect(other.status).toBe(422);
    expect((await api.call(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'd' })).status).toBe(200);
  });

  it('and a provider that failed is asked by a new wish, anything else by the same', async () => {
    const keys: (string | undefined)[] = [];
    const errors: Error[] = [new Error('lost'), new ProviderProblem('provider_unavailable', 'Silence.')];
    const recording = anotherApi(api, {
      gateway: {
        ...api.deps.gateway,
        ask: (id, wish, key) => {
          keys.push(key);
          const error = errors.shift();
          return error ? Promise.reject(error) : api.deps.gateway.ask(id, wish, key);
        },
      },
    });
    const { id } = await order();
    const pay = () =>
      recording(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' }, { idempotencyKey: 'e' });
    const answers = [await pay(), await pay(), await pay(), await pay()];
    expect(answers.map(({ status }) => status)).toEqual([500, 503, 201, 201]);
    expect(answers[1]?.body.code).toBe('provider_unavailable');
    expect(keys).toHaveLength(3);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });
});

describe('a first request that fell silent', () => {
  it('holds its key for some seconds only', async () => {
    const { id } = await order({ confirm: false });
    const silent = { ...api.deps.gateway, ask: () => new Promise<never>(() => {}) };
    void anotherApi(api, { gateway: silent })(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'f' });
    await sleep(300);
    await api.system.db
      .updateTable('idempotency_keys')
      .set({ running_until: new Date(Date.now() + 1000) })
      .where('key', '=', 'f')
      .execute();
    const answer = await api.call(`POST /v1/orders/${id}/confirm`, {}, { idempotencyKey: 'f' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'pending_payment' } });
  });
});

it('a key that was forgotten begins anew', async () => {
  const first = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'g' });
  expect(await forgetOldKeys(api.system.db, new Date(Date.now() - 86_400_000))).toBe(0);
  expect(await forgetOldKeys(api.system.db, new Date(Date.now() + 1000))).toBeGreaterThan(0);
  const second = await api.call('POST /v1/orders', tea(), { idempotencyKey: 'g' });
  expect(second.status).toBe(201);
  expect(second.body.id).not.toBe(first.body.id);
});

describe('when the database is away', () => {
  it('the answer is quick: 503, and when to come again', async () => {
    const db = connect('postgres://nobody@127.0.0.1:9/nothing');
    const call = anotherApi(api, { db });
    for (const [request, body] of [
      ['GET /v1/orders', undefined],
      ['POST /v1/orders', tea()],
    ] as const) {
      const began = Date.now();
      const answer = await call(request, body, { idempotencyKey: 'h' });
      expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Date.now() - began).toBeLessThan(2_000);
    }
    await db.destroy();
  });
});
