import { createHash } from 'node:crypto';
import { gunzipSync, inflateSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator, StripeMerchant } from '../../simulator/server.ts';
import { alipayClient, APP_ID, exec, merchants as alipayMerchants } from './alipay-support.ts';
import { app, tokenOf } from './paypal-support.ts';
import { call, control, MCHID, merchant, otherMerchant, privateKey, signedHeaders, simulator } from './support.ts';
import {
  fieldsOf,
  isGenuine,
  merchant as unionpayMerchant,
  MER_ID,
  signed,
  timeAt,
  CERT_ID,
} from './unionpay-support.ts';

/** The simulated providers' bills as their own protocols serve them, and what the control call does to them. */
const stripeMerchant: StripeMerchant = {
  stripeAccount: 'acct_1',
  secretKey: 'sk_test_1',
  webhookUrl: null,
  webhookSecrets: ['whsec_1'],
};
const HOUR = 3_600_000;
/** Noon in China. */
const NOON = Date.parse('2026-11-21T04:00:00Z');
let now = NOON;
let sim: Simulator;
beforeAll(async () => {
  const others = [unionpayMerchant, stripeMerchant, { ...app, webhook: null }];
  sim = await simulator({ merchants: [merchant, otherMerchant, ...alipayMerchants, ...others], now: () => now });
});
beforeEach(async () => {
  now = NOON;
  await control(sim, 'DELETE', '/statements');
});
afterAll(() => sim.stop());

/** Money that came at these hours of the 21st in China. */
const paid = (provider: string, account: string, ...hours: number[]) =>
  control(sim, 'POST', '/statements', {
    extra: hours.map((hour) => ({
      provider,
      merchant: account,
      out_trade_no: `T${hour}`,
      amount: 1000 + hour,
      at: new Date(NOON + (hour - 12) * HOUR).toISOString(),
    })),
  });
const early = () => control(sim, 'POST', '/statements', { early: true });

describe('the control call', () => {
  it('shows what it changed, and ends it', async () => {
    await control(sim, 'POST', '/statements', { early: true, missing: ['a'], different: [{ number: 'b', amount: 5 }] });
    const { json } = await paid('wechatpay', MCHID, 1);
    expect(json).toMatchObject({ early: true, missing: ['a'], different: [{ number: 'b', amount: 5 }] });
    expect(json['extra']).toMatchObject([{ provider: 'wechatpay', merchant: MCHID, amount: 1001, currency: 'CNY' }]);
    await control(sim, 'DELETE', '/statements');
    expect((await control(sim, 'GET', '/statements')).json).toEqual({
      early: false,
      missing: [],
      different: [],
      extra: [],
    });
  });
  it('names what is wrong with a wish', async () => {
    const extra = [{ provider: 'paypal', out_trade_no: 'x', amount: 0 }];
    expect((await control(sim, 'POST', '/statements', { extra, late: 1 })).json).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'extra.0.amount' }, { path: 'late', message: 'unknown field' }],
    });
    const unknown = [{ provider: 'paypal', out_trade_no: 'x', amount: 1 }];
    expect(await control(sim, 'POST', '/statements', { extra: unknown })).toMatchObject({ status: 404 });
  });
});

describe("WeChat Pay's bill", () => {
  const ask = (query: string, options = {}) =>
    call(sim, 'GET', `/v3/bill/tradebill?${query}`, undefined, { timestamp: String(now / 1000), ...options });
  const download = async (url: unknown, options = {}) => {
    const { pathname, search } = new URL(String(url));
    const headers = signedHeaders('GET', pathname + search, '', { timestamp: String(now / 1000), ...options });
    const answer = await fetch(String(url), { headers });
    return {
      status: answer.status,
      signature: answer.headers.get('wechatpay-signature'),
      file: Buffer.from(await answer.arrayBuffer()),
    };
  };
  const stranger = { mchid: otherMerchant.mchid, serialNo: otherMerchant.serialNo, key: privateKey('alipay_app') };

  it('is a link for one merchant and half a minute to an unsigned file whose hash the signed answer tells', async () => {
    await paid('wechatpay', MCHID, 1, 23);
    await early();
    const { status, json } = await ask('bill_date=2026-11-21');
    expect([status, json]).toMatchObject([200, { hash_type: 'SHA1' }]);
    const { file, signature } = await download(json!['download_url']);
    expect(signature).toBeNull();
    expect(createHash('sha1').update(file).digest('hex')).toBe(json!['hash_value']);
    expect(file.toString().split('\r\n')[1]).toMatch(
      /^`2026-11-21 01:00:00,`wxd678efh567hg6787,`1900000109,`0,`,`\d{21},`T1,/,
    );
    expect(file.toString()).toContain('`2,`20.24,`0.00,`0.00,`0.12000,`20.24,`0.00');
    const packed = (await ask('bill_date=2026-11-21&tar_type=GZIP')).json!;
    expect(gunzipSync((await download(packed['download_url'])).file)).toEqual(file);
    expect((await download(json!['download_url'], stranger)).status).toBe(403);
    expect((await download(json!['download_url'], { key: stranger.key })).status).toBe(401);
    now += 31_000;
    expect((await download(json!['download_url'])).status).toBe(400);
  });
  it('is made after the day, for three months, and only where something was sold', async () => {
    await paid('wechatpay', MCHID, 1);
    expect(await ask('bill_date=2026-11-21')).toMatchObject({ status: 400, json: { code: 'STATEMENT_CREATING' } });
    now += 24 * HOUR;
    expect((await ask('bill_date=2026-11-21')).status).toBe(200);
    expect((await ask('bill_date=2026-11-20')).json).toMatchObject({ code: 'NO_STATEMENT_EXIST' });
    expect((await ask('bill_date=2026-08-01')).json).toMatchObject({ code: 'INVALID_REQUEST' });
    expect((await ask('bill_date=20261121')).json).toMatchObject({ code: 'PARAM_ERROR' });
    expect((await ask('bill_date=2026-11-21', stranger)).json).toMatchObject({ code: 'NO_STATEMENT_EXIST' });
  });
});

describe("Alipay's bill", () => {
  const ask = (day: string) =>
    exec(alipayClient(sim), 'alipay.data.dataservice.bill.downloadurl.query', { bill_type: 'trade', bill_date: day });

  it('is a link, good for half a minute, to a zip in GBK', async () => {
    now = Date.now(); // The client signs by its own clock.
    const day = new Date(now + 8 * HOUR).toISOString().slice(0, 10);
    expect(await ask(day)).toMatchObject({ code: '40004', subCode: 'isp.bill_not_exist' });
    const extra = {
      provider: 'alipay',
      merchant: APP_ID,
      out_trade_no: 'T1',
      amount: 1001,
      at: new Date(now).toISOString(),
    };
    await control(sim, 'POST', '/statements', { early: true, extra: [extra] });
    const url = String((await ask(day))['billDownloadUrl']);
    const files = Object.values(unzipSync(new Uint8Array(await (await fetch(url)).arrayBuffer())));
    const text = new TextDecoder('gbk', { fatal: true }).decode(files[0]);
    expect(text).toMatch(/^#支付宝业务明细查询\r\n#账号：\[2088\d{12}0156\]\r\n/);
    expect(text).toMatch(/\r\n\d{21}\t,T1\t,交易\t,Paid elsewhere,.*,10\.01,10\.01,.*,-0\.06,0\.00,\r\n#/);
    now += 31_000;
    expect((await fetch(url)).status).toBe(404);
    expect(
      await exec(alipayClient(sim), 'alipay.data.dataservice.bill.downloadurl.query', {
        bill_type: 'other',
        bill_date: day,
      }),
    ).toMatchObject({ code: '40004' });
  });
});

describe("UnionPay's file", () => {
  const wish = (changes = {}) => ({
    version: '5.1.0',
    encoding: 'UTF-8',
    signMethod: '01',
    certId: CERT_ID,
    accessType: '0',
    merId: MER_ID,
    txnType: '76',
    txnSubType: '01',
    bizType: '000000',
    txnTime: timeAt(now),
    fileType: '00',
    settleDate: '1121',
    ...changes,
  });
  const ask = async (params: Record<string, string>) => {
    const answer = fieldsOf(
      await (await fetch(`${sim.url}/`, { method: 'POST', body: new URLSearchParams(params) })).text(),
    );
    expect(isGenuine(sim, answer)).toBe(true);
    return answer;
  };

  it('is deflated in the signed answer; its day ends at 23:00', async () => {
    await paid('unionpay', MER_ID, -1, 1, 22, 23);
    await early();
    const { respCode, fileContent } = await ask(signed(wish()));
    expect(respCode).toBe('00');
    const files = unzipSync(inflateSync(Buffer.from(fileContent!, 'base64')));
    expect(Object.keys(files)).toEqual([`INN26112188ZM_${MER_ID}`, `INN26112188ZME_${MER_ID}`]);
    const lines = Buffer.from(files[`INN26112188ZM_${MER_ID}`]!).toString('latin1').trimEnd().split('\r\n');
    expect(lines.map((line) => line.slice(35, 45))).toEqual(['1120230000', '1121010000', '1121220000']);
    expect([lines[1]!.slice(0, 4), lines[1]!.slice(66, 79)]).toEqual(['S22 ', '000000001001 ']);
  });
  it('is refused without a good signature, and there is none before the day is over', async () => {
    await paid('unionpay', MER_ID, 1);
    expect(await ask({ ...signed(wish()), settleDate: '1120' })).toMatchObject({ respCode: '11' });
    expect(await ask(signed(wish()))).toMatchObject({ respCode: '98' });
    expect(await ask(signed(wish({ settleDate: '9999' })))).toMatchObject({ respCode: '10' });
  });
});

it("Stripe's balance transactions are listed newest first, in pages, between moments", async () => {
  const { hostname, port } = new URL(sim.url);
  const stripe = new Stripe('sk_test_1', {
    host: hostname,
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
  await paid('stripe', 'acct_1', 1, 2, 3, 4);
  const since = { created: { gte: (NOON - 10 * HOUR) / 1000 }, limit: 2, expand: ['data.source'] };
  const found = await stripe.balanceTransactions.list(since).autoPagingToArray({ limit: 10 });
  expect(found.map(({ amount, fee, net }) => [amount, fee, net])).toEqual([
    [1004, 59, 945],
    [1003, 59, 944],
    [1002, 59, 943],
  ]);
  expect(found[0]).toMatchObject({ source: { object: 'charge', amount_captured: 1004 }, type: 'charge' });
  await expect(stripe.balanceTransactions.list({ limit: 101 })).rejects.toMatchObject({ statusCode: 400 });
  await expect(stripe.balanceTransactions.list({ starting_after: 'txn_x' })).rejects.toMatchObject({ statusCode: 404 });
});

it("PayPal's transactions are listed oldest first, in pages, of a month at most", async () => {
  await paid('paypal', app.clientId, 1, 2, 3);
  const token = await tokenOf(sim);
  const ask = async (query: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${sim.url}/v1/reporting/transactions?${query}`, { headers });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const period = 'start_date=2026-11-20T00:00:00Z&end_date=2026-11-21T23:59:59.999Z';
  const { status, body } = await ask(`${period}&page_size=2&page=2`);
  expect([status, body.total_items, body.total_pages]).toEqual([200, 3, 2]);
  expect(body.transaction_details).toMatchObject([
    {
      transaction_info: {
        transaction_event_code: 'T0006',
        transaction_amount: { currency_code: 'USD', value: '10.03' },
        fee_amount: { currency_code: 'USD', value: '-0.84' },
        transaction_initiation_date: '2026-11-20T19:00:00+0000',
      },
    },
  ]);
  expect((await ask(`${period}&page_size=501`)).status).toBe(400);
  expect((await ask('start_date=2026-10-01T00:00:00Z&end_date=2026-11-21T00:00:00Z')).status).toBe(400);
  expect((await ask('start_date=2026-11-20&end_date=2026-11-21')).status).toBe(400);
  expect((await fetch(`${sim.url}/v1/reporting/transactions?${period}`)).status).toBe(401);
});
