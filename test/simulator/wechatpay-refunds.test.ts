import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import type { Json, Received } from './support.ts';
import {
  call,
  control,
  decrypted,
  endFaults,
  eventually,
  faults,
  freshNumber,
  isGenuine,
  ledgerOf,
  opened,
  pause,
  pay,
  query,
  refund,
  shop,
  simulator,
} from './support.ts';

let sim: Simulator;
let merchantShop: Awaited<ReturnType<typeof shop>>;
beforeAll(async () => {
  sim = await simulator();
  merchantShop = await shop();
});
afterEach(() => endFaults(sim));
afterAll(async () => {
  merchantShop.close();
  await sim.stop();
});

async function paidNumber(): Promise<string> {
  const { outTradeNo } = await opened(sim);
  await pay(sim, outTradeNo);
  return outTradeNo;
}

const stateOf = async (outRefundNo: unknown) =>
  (await call(sim, 'GET', `/v3/refund/domestic/refunds/${String(outRefundNo)}`)).json?.['status'];

const settled = (outRefundNo: unknown, state = 'SUCCESS') =>
  eventually(async () => expect(await stateOf(outRefundNo)).toBe(state));

describe('a refund', () => {
  it('is PROCESSING first and stands in the ledger only once it settled', async () => {
    await faults(sim, { refund_delay_ms: 400 });
    const number = await paidNumber();
    const { json, headers } = await refund(sim, number, 888);
    expect(json).toMatchObject({
      status: 'PROCESSING',
      out_trade_no: number,
      amount: { refund: 888, total: 8888, from: [] },
    });
    expect(json).not.toHaveProperty('success_time');
    expect(headers.get('wechatpay-signature')).toMatch(/./);
    expect(await ledgerOf(sim, number)).toMatchObject([{ type: 'capture', amount: 8888 }]);
    await settled(json?.['out_refund_no']);
    expect(await ledgerOf(sim, number)).toMatchObject([
      { type: 'capture', amount: 8888 },
      { type: 'refund', amount: 888, currency: 'CNY', provider: 'wechatpay', trade_no: json?.['refund_id'] },
    ]);
  });

  it('is the same one under the same number', async () => {
    const number = await paidNumber();
    const out_refund_no = freshNumber('R');
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => refund(sim, number, 800, { out_refund_no })));
    expect(new Set(answers.map(({ json }) => json?.['refund_id'])).size).toBe(1);
    await settled(out_refund_no);
    const again = await refund(sim, number, 800, { out_refund_no });
    expect([again.status, again.json?.['status']]).toEqual([200, 'SUCCESS']);
    expect(await ledgerOf(sim, number)).toHaveLength(2);
  });

  it('refuses the same number with another amount, total or order', async () => {
    const number = await paidNumber();
    const out_refund_no = freshNumber('R');
    await refund(sim, number, 800, { out_refund_no });
    const attempts = [
      await refund(sim, number, 801, { out_refund_no }),
      await refund(sim, await paidNumber(), 800, { out_refund_no }),
      await refund(sim, number, 800, { out_refund_no, amount: { refund: 800, total: 8889, currency: 'CNY' } }),
    ];
    for (const { status, json } of attempts) expect([status, json?.['code']]).toEqual([400, 'INVALID_REQUEST']);
  });

  it('never gives back more than was paid, also in parallel', async () => {
    const number = await paidNumber();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refund(sim, number, 3000)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.every(({ json }) => json?.['code'] === 'INVALID_REQUEST')).toBe(true);
    expect((await refund(sim, number, 2888)).status).toBe(200);
    expect((await refund(sim, number, 1)).status).toBe(400);
  });

  it('stops after 50', async () => {
    const number = await paidNumber();
    for (let count = 0; count < 50; count += 1) expect((await refund(sim, number, 1)).status).toBe(200);
    const { status, json } = await refund(sim, number, 1);
    expect([status, json?.['code']]).toEqual([403, 'RULE_LIMIT']);
  });

  it('needs a payment that was paid, and its true total', async () => {
    const { outTradeNo } = await opened(sim);
    expect((await refund(sim, outTradeNo, 1)).json?.['code']).toBe('INVALID_REQUEST');
    expect(await refund(sim, 'T00000000', 1)).toMatchObject({ status: 404, json: { code: 'RESOURCE_NOT_EXISTS' } });
    await pay(sim, outTradeNo);
    const other = { amount: { refund: 1, total: 8889, currency: 'CNY' } };
    expect((await refund(sim, outTradeNo, 1, other)).json?.['code']).toBe('INVALID_REQUEST');
  });

  it('goes up to what the buyer really paid', async () => {
    const { outTradeNo } = await opened(sim);
    await pay(sim, outTradeNo, { amount: 5000 });
    const amount = (part: number) => ({ amount: { refund: part, total: 5000, currency: 'CNY' } });
    expect((await refund(sim, outTradeNo, 0, amount(5001))).status).toBe(400);
    expect((await refund(sim, outTradeNo, 0, amount(5000))).status).toBe(200);
  });

  it('is not known under another number, or to query before it exists', async () => {
    const { status, json } = await call(sim, 'GET', '/v3/refund/domestic/refunds/R0');
    expect([status, json?.['code']]).toEqual([404, 'RESOURCE_NOT_EXISTS']);
  });

  const wrong: [string, Json, string][] = [
    ['a refund of 0', { amount: { refund: 0, total: 8888, currency: 'CNY' } }, 'amount/refund'],
    ['no currency', { amount: { refund: 1, total: 8888 } }, 'amount/currency'],
    ['no amount', { amount: null }, 'amount'],
    ['no refund number', { out_refund_no: undefined }, 'out_refund_no'],
    ['a refund number of 65', { out_refund_no: 'R'.repeat(65) }, 'out_refund_no'],
    ['a reason of 81', { reason: '退'.repeat(81) }, 'reason'],
    ['a notify_url with a query', { notify_url: 'https://shop.example.com/n?a' }, 'notify_url'],
    ['both numbers of the payment', { transaction_id: '4200' }, 'transaction_id'],
    ['neither number', { out_trade_no: undefined }, 'transaction_id'],
  ];
  it.each(wrong)('refuses %s', async (_what, changes, field) => {
    const { status, json } = await refund(sim, await paidNumber(), 1, changes);
    expect([status, json?.['code'], json?.['detail']]).toMatchObject([400, 'PARAM_ERROR', { field, location: 'body' }]);
  });
});

describe('the notice of a refund', () => {
  const about = (outRefundNo: unknown): Received[] =>
    merchantShop.received.filter((notice) => decrypted(notice)['out_refund_no'] === outRefundNo);

  it('goes to the refund’s own address and tells refund_status', async () => {
    const number = await paidNumber();
    const { json } = await refund(sim, number, 888, { notify_url: merchantShop.url });
    const [notice] = await eventually(() => {
      expect(about(json?.['out_refund_no'])).toHaveLength(1);
      return about(json?.['out_refund_no']);
    });
    expect(notice && isGenuine(sim, notice)).toBe(true);
    expect(notice?.json).toMatchObject({
      event_type: 'REFUND.SUCCESS',
      resource: { original_type: 'refund', associated_data: 'refund' },
    });
    const content = notice ? decrypted(notice) : {};
    expect(content).toMatchObject({
      refund_status: 'SUCCESS',
      refund_id: json?.['refund_id'],
      amount: { total: 8888, refund: 888 },
      success_time: expect.any(String),
    });
    for (const field of ['status', 'channel', 'funds_account']) expect(content).not.toHaveProperty(field);
  });

  it('is not sent where the request names nobody', async () => {
    const number = await paidNumber();
    const { json } = await refund(sim, number, 888);
    await settled(json?.['out_refund_no']);
    const { json: payment } = await control(sim, 'POST', `/payments/${number}`, { action: 'pay' });
    expect((payment['notices'] as Json[]).map(({ event }) => event)).toEqual(['TRANSACTION.SUCCESS']);
  });
});

describe('faults of refunds', () => {
  it('refund_fails: ends CLOSED, is told, frees its amount and leaves the payment SUCCESS', async () => {
    await faults(sim, { refund_fails: true });
    const number = await paidNumber();
    const { json } = await refund(sim, number, 8888, { notify_url: merchantShop.url });
    expect(json?.['status']).toBe('PROCESSING');
    await settled(json?.['out_refund_no'], 'CLOSED');
    await eventually(() => {
      const told = merchantShop.received.find(
        (notice) => decrypted(notice)['out_refund_no'] === json?.['out_refund_no'],
      );
      expect(told?.json['event_type']).toBe('REFUND.CLOSED');
      expect(told && decrypted(told)).toMatchObject({ refund_status: 'CLOSED' });
    });
    expect((await query(sim, number))['trade_state']).toBe('SUCCESS');
    await endFaults(sim);
    const again = await refund(sim, number, 8888);
    await settled(again.json?.['out_refund_no']);
    expect(await ledgerOf(sim, number)).toMatchObject([
      { type: 'capture' },
      { type: 'refund', trade_no: again.json?.['refund_id'] },
    ]);
  });

  it('refund_delay_ms: stays PROCESSING so long; ending the faults settles it', async () => {
    await faults(sim, { refund_delay_ms: 3_600_000 });
    const number = await paidNumber();
    const { json } = await refund(sim, number, 100);
    await pause(500);
    expect(await stateOf(json?.['out_refund_no'])).toBe('PROCESSING');
    expect((await query(sim, number))['trade_state']).toBe('REFUND');
    await endFaults(sim);
    await settled(json?.['out_refund_no']);
  });

  it('refund_gap_ms: a second refund too soon is 429, the same one is not', async () => {
    await faults(sim, { refund_gap_ms: 400 });
    const number = await paidNumber();
    const out_refund_no = freshNumber('R');
    expect((await refund(sim, number, 100, { out_refund_no })).status).toBe(200);
    const tooSoon = await refund(sim, number, 100);
    expect([tooSoon.status, tooSoon.json?.['code']]).toEqual([429, 'FREQUENCY_LIMITED']);
    expect((await refund(sim, number, 100, { out_refund_no })).status).toBe(200);
    expect((await refund(sim, await paidNumber(), 100)).status).toBe(200);
    await pause(400);
    expect((await refund(sim, number, 100)).status).toBe(200);
  });
});
