import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import type { CallOptions } from './support.ts';
import {
  call,
  freshNumber,
  MCHID,
  merchant,
  nativeBody,
  opened,
  otherMerchant,
  pay,
  privateKey,
  query,
  simulator,
} from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator();
});
afterAll(() => sim.stop());

const NATIVE = '/v3/pay/transactions/native';
const other = { mchid: otherMerchant.mchid, serialNo: otherMerchant.serialNo, key: privateKey('alipay_app') };
const seconds = (offset: number): string => String(Math.floor(Date.now() / 1000) + offset);

describe('who asks', () => {
  const refused: [string, CallOptions][] = [
    ['another body was signed', { signedBody: '{}' }],
    ['signed with another key', { key: privateKey('alipay_app') }],
    ['signed too long ago', { timestamp: seconds(-310) }],
    ['signed in the future', { timestamp: seconds(3_600) }],
    ['a time that is none', { timestamp: '0x6b0' }],
    ['an unknown merchant', { mchid: '1900000999' }],
    ['another certificate', { serialNo: 'ABCD' }],
    ['no authorization', { headers: { authorization: '' } }],
    ['another kind of authorization', { headers: { authorization: 'Bearer x' } }],
    ['a part missing', { headers: { authorization: `WECHATPAY2-SHA256-RSA2048 mchid="${MCHID}"` } }],
    [
      'spaces between the parts',
      { headers: { authorization: 'WECHATPAY2-SHA256-RSA2048 a="1", b="2", c="3", d="4", e="5"' } },
    ],
  ];

  it.each(refused)('refuses with SIGN_ERROR: %s', async (_why, options) => {
    const body = nativeBody();
    const answer = await call(sim, 'POST', NATIVE, body, options);
    expect([answer.status, answer.json?.['code']]).toEqual([401, 'SIGN_ERROR']);
    expect(answer.headers.get('wechatpay-signature')).toBeNull();
    expect((await query(sim, body.out_trade_no))['code']).toBe('ORDER_NOT_EXIST');
  });

  it('shows what it verified', async () => {
    const { json } = await call(sim, 'POST', NATIVE, nativeBody(), { signedBody: '' });
    const shown = expect.objectContaining({
      method: 'POST',
      url: NATIVE,
      truncated_sign_message: expect.stringContaining(`POST\n${NATIVE}\n`),
    });
    expect(json?.['detail']).toMatchObject({ field: 'signature', sign_information: shown });
  });

  it('takes a signature that is nearly five minutes old', async () => {
    const answer = await call(sim, 'POST', NATIVE, nativeBody(), { timestamp: seconds(-290) });
    expect(answer.status).toBe(200);
  });

  it.each(['accept', 'user-agent'])('wants the header %s', async (missing) => {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'tests', authorization: 'x' };
    delete headers[missing];
    // Node's fetch adds both by itself.
    const status = await new Promise((resolve, reject) => {
      request(`${sim.url}/v3/certificates`, { headers }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
  });

  it('wants a serial that it knows, if any', async () => {
    const { status, json } = await call(sim, 'POST', NATIVE, nativeBody(), { serial: 'PUB_KEY_ID_0' });
    expect([status, json?.['code']]).toEqual([400, 'PARAM_ERROR']);
    expect(json?.['detail']).toMatchObject({ field: 'Wechatpay-Serial', location: 'header' });
  });
});

describe('paths', () => {
  it.each([
    ['GET', '/v3/pay/transactions/nowhere', 404],
    ['POST', '/v3/pay/transactions/app', 404],
    ['GET', NATIVE, 405],
    ['POST', '/v3/certificates', 405],
    ['DELETE', '/v3/refund/domestic/refunds/R1', 405],
  ])('%s %s is an empty %i', async (method, path, status) => {
    const answer = await call(sim, method, path, method === 'POST' ? {} : undefined);
    expect([answer.status, answer.raw]).toEqual([status, '']);
  });
});

describe('fields of a native payment', () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ['no description', { description: undefined }, 'description'],
    ['an empty description', { description: '' }, 'description'],
    ['a description of 128', { description: '茶'.repeat(128) }, 'description'],
    ['a number of 5', { out_trade_no: 'T1234' }, 'out_trade_no'],
    ['a number of 33', { out_trade_no: 'T'.repeat(33) }, 'out_trade_no'],
    ['a number with a dot', { out_trade_no: 'T12345.6' }, 'out_trade_no'],
    ['no amount', { amount: undefined }, 'amount'],
    ['a total of 0', { amount: { total: 0, currency: 'CNY' } }, 'amount/total'],
    ['a total of 1.5', { amount: { total: 1.5, currency: 'CNY' } }, 'amount/total'],
    ['a total as text', { amount: { total: '100', currency: 'CNY' } }, 'amount/total'],
    ['another currency', { amount: { total: 100, currency: 'USD' } }, 'amount/currency'],
    ['a notify_url with a query', { notify_url: 'https://shop.example.com/n?a=1' }, 'notify_url'],
    ['an http notify_url elsewhere', { notify_url: 'http://shop.example.com/n' }, 'notify_url'],
    ['a notify_url of 256', { notify_url: `https://shop.example.com/${'n'.repeat(231)}` }, 'notify_url'],
    ['a notify_url that is none', { notify_url: 'shop' }, 'notify_url'],
    ['a time without zone', { time_expire: '2126-11-21T10:00:00' }, 'time_expire'],
    ['a time that is none', { time_expire: '2126-13-41T10:00:00+08:00' }, 'time_expire'],
    ['an attach of 129', { attach: 'a'.repeat(129) }, 'attach'],
    ['another mchid', { mchid: '1900000222' }, 'mchid'],
  ];

  it.each(wrong)('refuses %s', async (_why, changes, field) => {
    const body = nativeBody(changes);
    const { status, json } = await call(sim, 'POST', NATIVE, body);
    expect([status, json?.['code']]).toEqual([400, 'PARAM_ERROR']);
    expect(json?.['detail']).toMatchObject({ field, location: 'body', issue: expect.stringMatching(/./) });
    expect(json?.['detail']).toHaveProperty('value');
  });

  it.each([
    [
      'the longest of everything',
      { description: '茶'.repeat(127), out_trade_no: `T_-|*${freshNumber().padEnd(27, '0')}`, attach: 'a'.repeat(128) },
    ],
    ['a https notify_url of 255', { notify_url: `https://shop.example.com/${'n'.repeat(230)}` }],
    ['any zone', { time_expire: '2126-11-21T10:00:00Z' }],
    ['no currency', { amount: { total: 1 } }],
    ['fields that it does not know', { settle_info: { profit_sharing: false } }],
  ])('takes %s', async (_what, changes) => {
    const answer = await call(sim, 'POST', NATIVE, nativeBody(changes));
    expect([answer.status, answer.json?.['code']]).toEqual([200, undefined]);
  });

  it('wants an appid of the merchant', async () => {
    const { status, json } = await call(sim, 'POST', NATIVE, nativeBody({ appid: 'wx-other' }));
    expect([status, json?.['code']]).toEqual([400, 'APPID_MCHID_NOT_MATCH']);
  });

  it.each(['not json', '', '[]', 'null'])('refuses the body %j', async (body) => {
    const { status, json } = await call(sim, 'POST', NATIVE, body);
    expect([status, json?.['code']]).toEqual([400, 'PARAM_ERROR']);
  });

  it('wants JSON to be called JSON', async () => {
    const { status } = await call(sim, 'POST', NATIVE, nativeBody(), { headers: { 'content-type': 'text/plain' } });
    expect(status).toBe(400);
  });

  it('can insist on https everywhere', async () => {
    const strict = await simulator({ allowLocalHttp: false });
    const { status, json } = await call(strict, 'POST', NATIVE, nativeBody());
    expect([status, json?.['detail']]).toMatchObject([400, { field: 'notify_url' }]);
    await strict.stop();
  });
});

describe('the same number again', () => {
  it('gets a fresh code with the same fields, whatever their order', async () => {
    const { body, codeUrl } = await opened(sim);
    const reversed = Object.fromEntries(Object.entries(body).toReversed());
    const { status, json } = await call(sim, 'POST', NATIVE, reversed);
    expect(status).toBe(200);
    expect(json?.['code_url']).not.toBe(codeUrl);
    for (const url of [codeUrl, String(json?.['code_url'])]) expect((await fetch(url)).status).toBe(200);
  });

  it.each([
    ['another amount', { amount: { total: 8889, currency: 'CNY' } }],
    ['another description', { description: '红茶' }],
    ['another notify_url', { notify_url: 'https://shop.example.com/other' }],
    ['another expiry', { time_expire: '2126-11-21T10:00:00Z' }],
    ['another app', { appid: 'wx2' }],
  ])('is refused with %s', async (_what, changes) => {
    const { body } = await opened(sim);
    const { status, json } = await call(sim, 'POST', NATIVE, { ...body, ...changes });
    expect([status, json?.['code']]).toEqual([403, 'OUT_TRADE_NO_USED']);
    expect(await query(sim, body.out_trade_no)).toMatchObject({ amount: { total: 8888 }, trade_state: 'NOTPAY' });
  });

  it('is refused once it is paid or closed', async () => {
    const first = await opened(sim);
    await pay(sim, first.outTradeNo);
    expect((await call(sim, 'POST', NATIVE, first.body)).json?.['code']).toBe('ORDERPAID');
    const second = await opened(sim);
    await call(sim, 'POST', `/v3/pay/transactions/out-trade-no/${second.outTradeNo}/close`, { mchid: MCHID });
    expect((await call(sim, 'POST', NATIVE, second.body)).json?.['code']).toBe('ORDER_CLOSED');
  });

  it('is another payment at another merchant', async () => {
    const { body } = await opened(sim);
    const own = { ...body, mchid: otherMerchant.mchid, appid: 'wx-other', amount: { total: 1, currency: 'CNY' } };
    expect((await call(sim, 'POST', NATIVE, own, other)).status).toBe(200);
    expect(await query(sim, body.out_trade_no)).toMatchObject({ amount: { total: 8888 } });
  });
});

describe('asking and closing', () => {
  it('wants the mchid in the query', async () => {
    const { outTradeNo } = await opened(sim);
    for (const end of ['', '?mchid=', `?mchid=${otherMerchant.mchid}`]) {
      const { status, json } = await call(sim, 'GET', `/v3/pay/transactions/out-trade-no/${outTradeNo}${end}`);
      expect([status, json?.['code'], json?.['detail']]).toMatchObject([
        400,
        'PARAM_ERROR',
        { field: 'mchid', location: 'query' },
      ]);
    }
  });

  it('knows nothing of another merchant’s payment', async () => {
    const { outTradeNo } = await opened(sim);
    const paid = (await pay(sim, outTradeNo)).json;
    const mchid = `mchid=${otherMerchant.mchid}`;
    for (const path of [`out-trade-no/${outTradeNo}`, `id/${String(paid['trade_no'])}`]) {
      const { status, json } = await call(sim, 'GET', `/v3/pay/transactions/${path}?${mchid}`, undefined, other);
      expect([status, json?.['code']]).toEqual([404, 'ORDER_NOT_EXIST']);
    }
    const close = `/v3/pay/transactions/out-trade-no/${outTradeNo}/close`;
    expect((await call(sim, 'POST', close, { mchid: otherMerchant.mchid }, other)).status).toBe(404);
  });

  it('does not take a code for a transaction_id', async () => {
    const { codeUrl } = await opened(sim);
    const code = new URL(codeUrl).searchParams.get('pr');
    const { status } = await call(sim, 'GET', `/v3/pay/transactions/id/${code}?mchid=${MCHID}`);
    expect(status).toBe(404);
  });

  it('does not close what is paid', async () => {
    const { outTradeNo } = await opened(sim);
    await pay(sim, outTradeNo);
    const { status, json } = await call(sim, 'POST', `/v3/pay/transactions/out-trade-no/${outTradeNo}/close`, {
      mchid: MCHID,
    });
    expect([status, json?.['code']]).toEqual([400, 'ORDERPAID']);
    expect((await query(sim, outTradeNo))['trade_state']).toBe('SUCCESS');
  });

  it('closes only what exists, for who asks', async () => {
    const { outTradeNo } = await opened(sim);
    const path = (number: string) => `/v3/pay/transactions/out-trade-no/${number}/close`;
    expect((await call(sim, 'POST', path('T00000000'), { mchid: MCHID })).status).toBe(404);
    expect((await call(sim, 'POST', path(outTradeNo), {})).json?.['code']).toBe('PARAM_ERROR');
    expect((await call(sim, 'POST', path(outTradeNo), { mchid: otherMerchant.mchid })).json?.['code']).toBe(
      'PARAM_ERROR',
    );
    expect((await query(sim, outTradeNo))['trade_state']).toBe('NOTPAY');
  });
});

describe('time', () => {
  const START = Date.parse('2026-11-21T10:00:00+08:00');
  let now = START;
  const at = (ms: number) => String(Math.floor((START + ms) / 1000));
  const state = async (sim: Simulator, number: string) => {
    const path = `/v3/pay/transactions/out-trade-no/${number}?mchid=${merchant.mchid}`;
    return (await call(sim, 'GET', path, undefined, { timestamp: at(now - START) })).json?.['trade_state'];
  };

  it('closes an unpaid payment at its time, as told', async () => {
    const clocked = await simulator({ now: () => now });
    const { outTradeNo } = await opened(clocked, { time_expire: '2026-11-21T10:30:00+08:00' }, { timestamp: at(0) });
    now = START + 30 * 60_000 - 1;
    expect(await state(clocked, outTradeNo)).toBe('NOTPAY');
    now = START + 30 * 60_000;
    expect(await state(clocked, outTradeNo)).toBe('CLOSED');
    expect((await pay(clocked, outTradeNo)).status).toBe(409);
    expect((await pay(clocked, outTradeNo, { force: true })).json['status']).toBe('paid');
    expect(await state(clocked, outTradeNo)).toBe('SUCCESS');
    await clocked.stop();
  });

  it.each([
    ['a minute, where it is sooner', '2026-11-21T10:00:10+08:00', 60_000],
    ['seven days, where it is later', '2026-12-21T10:00:00+08:00', 7 * 24 * 3600_000],
    ['seven days, where nothing is said', undefined, 7 * 24 * 3600_000],
  ])('waits %s', async (_how, expiry, lifeMs) => {
    now = START;
    const clocked = await simulator({ now: () => now });
    const { outTradeNo } = await opened(clocked, { time_expire: expiry }, { timestamp: at(0) });
    now = START + lifeMs - 1;
    expect(await state(clocked, outTradeNo)).toBe('NOTPAY');
    now = START + lifeMs;
    expect(await state(clocked, outTradeNo)).toBe('CLOSED');
    await clocked.stop();
  });
});
