import { createSign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import { alipayClient, APP_ID, CERT_APP_ID, exec, merchants, qr, timestamp, trade } from './alipay-support.ts';
import { endFaults, faults, pay, privateKey, simulator, type Json } from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator({ merchants });
});
afterAll(() => sim.stop());

type Params = Record<string, string>;

/** Signed by node:crypto only: sorted, without empty values. */
function signed(params: Params, key = 'alipay_app'): Params {
  const text = Object.keys(params)
    .filter((name) => params[name] !== '')
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .join('&');
  return { ...params, sign: createSign('RSA-SHA256').update(text, 'utf8').sign(privateKey(key), 'base64') };
}

const request = (changes: Params = {}): Params => ({
  app_id: APP_ID,
  method: 'alipay.trade.query',
  charset: 'utf-8',
  sign_type: 'RSA2',
  timestamp: timestamp(),
  version: '1.0',
  biz_content: '{"out_trade_no":"T-nothing"}',
  ...changes,
});

async function send(params: Params): Promise<{ node: Json; isSigned: boolean; raw: string }> {
  const answer = await fetch(`${sim.url}/gateway.do`, { method: 'POST', body: new URLSearchParams(params) });
  const raw = await answer.text();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
  const { sign, alipay_cert_sn: _sn, ...nodes } = JSON.parse(raw) as Record<string, Json>;
  return { node: Object.values(nodes)[0] ?? {}, isSigned: sign !== undefined, raw };
}

const without = (name: string): Params =>
  Object.fromEntries(Object.entries(request()).filter(([each]) => each !== name));

describe('who asks', () => {
  const refused: [string, () => Params, string][] = [
    ['no application', () => signed(without('app_id')), 'isv.missing-app-id'],
    ['an unknown one', () => signed(request({ app_id: '2021000000000009' })), 'isv.invalid-app-id'],
    ['no signature', () => request(), 'isv.missing-signature'],
    ['another key', () => signed(request(), 'alipay_platform'), 'isv.invalid-signature'],
    [
      'a changed parameter',
      () => ({ ...signed(request()), biz_content: '{"out_trade_no":"T2"}' }),
      'isv.invalid-signature',
    ],
    ['one parameter more', () => ({ ...signed(request()), notify_url: 'https://x.example' }), 'isv.invalid-signature'],
    ['another kind of signature', () => signed(request({ sign_type: 'RSA' })), 'isv.invalid-signature-type'],
    ['no kind of signature', () => signed(without('sign_type')), 'isv.missing-signature-type'],
    ['no method', () => signed(without('method')), 'isv.missing-method'],
    ['an unknown method', () => signed(request({ method: 'alipay.trade.steal' })), 'isv.invalid-method'],
    ['no version', () => signed(without('version')), 'isv.missing-version'],
    ['no time', () => signed(without('timestamp')), 'isv.missing-timestamp'],
    ['a time of another form', () => signed(request({ timestamp: '2026-11-21T10:00:00Z' })), 'isv.invalid-timestamp'],
    ['a day that there is not', () => signed(request({ timestamp: '2026-02-30 10:00:00' })), 'isv.invalid-timestamp'],
    ['an old time', () => signed(request({ timestamp: timestamp(-660_000) })), 'isv.invalid-timestamp'],
    ['a time to come', () => signed(request({ timestamp: timestamp(660_000) })), 'isv.invalid-timestamp'],
    ['content that is no JSON', () => signed(request({ biz_content: '{' })), 'isv.illegal-json'],
    ['no certificates in certificate mode', () => signed(request({ app_id: CERT_APP_ID })), 'isv.invalid-app-cert-sn'],
  ];

  it.each(refused)('%s is refused', async (_why, params, subCode) => {
    const { node } = await send(params());
    expect(node['sub_code']).toBe(subCode);
    expect(node['code']).toMatch(/^4000[12]$/);
  });

  it('errors are signed only where Alipay knows for whom', async () => {
    expect((await send(signed(request()))).isSigned).toBe(true);
    expect((await send(request())).isSigned).toBe(true);
    expect((await send(signed(request({ app_id: '1' })))).isSigned).toBe(false);
    expect((await send(signed(without('method')))).raw).toMatch(/^\{"error_response":/);
  });

  it('takes parameters in the query, in the body, and an empty one that was not signed', async () => {
    const params = { ...signed(request({ app_auth_token: '' })) };
    const answer = await fetch(`${sim.url}/gateway.do?${new URLSearchParams(params).toString()}`);
    expect(await answer.text()).toContain('ACQ.TRADE_NOT_EXIST');
  });

  it('one application knows nothing of another one’s trades', async () => {
    const { outTradeNo } = await qr(sim);
    await pay(sim, outTradeNo);
    const numbers = { out_trade_no: outTradeNo };
    expect(await exec(alipayClient(sim, 'certificate'), 'alipay.trade.query', numbers)).toMatchObject({
      subCode: 'ACQ.TRADE_NOT_EXIST',
    });
  });
});

describe('what is asked', () => {
  const created = (content: Json, more: Json = {}) => exec(alipayClient(sim), 'alipay.trade.precreate', content, more);

  it.each([
    { out_trade_no: '' },
    { out_trade_no: 'T 1' },
    { out_trade_no: 'x'.repeat(65) },
    { total_amount: '0' },
    { total_amount: '0.001' },
    { total_amount: '1,00' },
    { total_amount: '-1' },
    { total_amount: '1e2' },
    { total_amount: '100000000.01' },
    { subject: '' },
    { subject: '茶'.repeat(257) },
    { product_code: 'FAST_INSTANT_TRADE_PAY' },
    { passback_params: 'x'.repeat(513) },
    { time_expire: '2026-11-21T10:00:00' },
    { timeout_express: '1.5h' },
  ])('%j is refused', async (changes) => {
    expect(await created(trade(changes))).toMatchObject({ code: '40004', subCode: 'ACQ.INVALID_PARAMETER' });
  });

  it.each([
    { total_amount: '100000000' },
    { total_amount: '0.1' },
    { subject: '茶'.repeat(256) },
    { total_amount: 88.8 },
  ])('%j is taken', async (changes) => expect(await created(trade(changes))).toMatchObject({ code: '10000' }));

  it.each(['http://shop.example.com/n', 'ftp://127.0.0.1', `https://x.example/${'n'.repeat(256)}`])(
    'notices can’t go to %s',
    async (notifyUrl) =>
      expect(await created(trade(), { notifyUrl })).toMatchObject({ subCode: 'isv.invalid-parameter' }),
  );

  it('a time that is over is refused; a code that nobody scans ends with its time', async () => {
    expect(await created(trade({ time_expire: timestamp(-1000) }))).toMatchObject({
      subCode: 'ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR',
    });
    let ahead = 0;
    const later = await simulator({ merchants, now: () => Date.now() + ahead });
    const { outTradeNo } = await qr(later, { time_expire: timestamp(90_000) });
    ahead = 91_000;
    expect((await pay(later, outTradeNo)).status).toBe(409);
    expect((await pay(later, outTradeNo, { force: true })).status).toBe(200);
    await later.stop();
  });

  it('the same number again: the same words the same code, other words refused, and none once it is over', async () => {
    const content = trade();
    const first = await created(content);
    expect((await created(content))['qrCode']).toBe(first['qrCode']);
    expect(await created({ ...content, total_amount: '1' })).toMatchObject({ subCode: 'ACQ.CONTEXT_INCONSISTENT' });
    await pay(sim, content.out_trade_no);
    expect(await created(content)).toMatchObject({ subCode: 'ACQ.TRADE_HAS_SUCCESS' });
    const numbers = { out_trade_no: content.out_trade_no };
    expect(await exec(alipayClient(sim), 'alipay.trade.close', numbers)).toMatchObject({
      subCode: 'ACQ.TRADE_STATUS_ERROR',
    });
    const second = trade();
    await fetch(String((await created(second))['qrCode']));
    await exec(alipayClient(sim), 'alipay.trade.close', { out_trade_no: second.out_trade_no });
    expect(await created(second)).toMatchObject({ subCode: 'ACQ.TRADE_HAS_CLOSE' });
    expect((await pay(sim, second.out_trade_no)).status).toBe(409);
  });
});

describe('faults', () => {
  it('an outage is no answer of Alipay; a corrupt signature is one that nobody may believe', async () => {
    await faults(sim, { provider: 'alipay', error_rate: 1 });
    const answer = await fetch(`${sim.url}/gateway.do`, {
      method: 'POST',
      body: new URLSearchParams(signed(request())),
    });
    expect(answer.status).toBe(502);
    await endFaults(sim);
    await faults(sim, { provider: 'alipay', corrupt_signature: true });
    await expect(exec(alipayClient(sim), 'alipay.trade.query', { out_trade_no: 'T1' })).rejects.toThrow('验签失败');
    await endFaults(sim);
  });
});
