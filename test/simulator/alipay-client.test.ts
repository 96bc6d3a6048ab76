import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import {
  alipayClient,
  APP_ID,
  CERT_APP_ID,
  exec,
  formShop,
  merchants,
  pageUrl,
  qr,
  SELLER_ID,
  timestamp,
  trade,
  type Mode,
} from './alipay-support.ts';
import { control, endFaults, eventually, faults, ledgerOf, pay, simulator, type Json } from './support.ts';

let sim: Simulator;
beforeAll(async () => {
  sim = await simulator({ merchants });
});
afterEach(() => endFaults(sim));
afterAll(() => sim.stop());

const modes: Mode[] = ['public key', 'certificate'];
const queried = (outTradeNo: string) => exec(alipayClient(sim), 'alipay.trade.query', { out_trade_no: outTradeNo });

describe.each(modes)('an independent client in %s mode', (mode) => {
  it('opens a QR code, has it paid, refunds it in parts and asks about that', async () => {
    const sdk = alipayClient(sim, mode);
    const content = trade({ product_code: 'QR_CODE_OFFLINE', passback_params: 'ord_1' });
    const created = await exec(sdk, 'alipay.trade.precreate', content);
    expect(created).toMatchObject({ code: '10000', msg: 'Success', outTradeNo: content.out_trade_no });
    expect(created['qrCode']).toMatch(new RegExp(`^${sim.url}/alipay/scan/bax\\w{24}$`));

    const numbers = { out_trade_no: content.out_trade_no };
    expect(await exec(sdk, 'alipay.trade.query', numbers)).toMatchObject({ subCode: 'ACQ.TRADE_NOT_EXIST' });
    expect(await exec(sdk, 'alipay.trade.close', numbers)).toMatchObject({ subCode: 'ACQ.TRADE_NOT_EXIST' });
    await fetch(String(created['qrCode']));
    expect(await exec(sdk, 'alipay.trade.query', numbers)).toMatchObject({ tradeStatus: 'WAIT_BUYER_PAY' });

    await pay(sim, content.out_trade_no);
    const paid = await exec(sdk, 'alipay.trade.query', numbers);
    expect(paid).toMatchObject({
      tradeStatus: 'TRADE_SUCCESS',
      totalAmount: '88.88',
      tradeNo: expect.stringMatching(/^\d{28}$/),
      sendPayDate: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });

    const part = { ...numbers, refund_amount: '8.88', out_request_no: 'R1' };
    expect(await exec(sdk, 'alipay.trade.refund', part)).toMatchObject({ fundChange: 'Y', refundFee: '8.88' });
    expect(await exec(sdk, 'alipay.trade.refund', part)).toMatchObject({ fundChange: 'N', refundFee: '8.88' });
    const rest = { trade_no: paid['tradeNo'], refund_amount: '80.00', out_request_no: 'R2' };
    expect(await exec(sdk, 'alipay.trade.refund', rest)).toMatchObject({ fundChange: 'Y', refundFee: '88.88' });
    expect(
      await exec(sdk, 'alipay.trade.fastpay.refund.query', {
        ...numbers,
        out_request_no: 'R2',
        query_options: ['gmt_refund_pay'],
      }),
    ).toMatchObject({ refundStatus: 'REFUND_SUCCESS', refundAmount: '80.00', gmtRefundPay: expect.any(String) });
    expect(await exec(sdk, 'alipay.trade.query', numbers)).toMatchObject({ tradeStatus: 'TRADE_CLOSED' });

    const rows = await ledgerOf(sim, content.out_trade_no);
    expect(rows.map(({ type, amount, provider }) => [provider, type, amount])).toEqual([
      ['alipay', 'capture', 8888],
      ['alipay', 'refund', 888],
      ['alipay', 'refund', 8000],
    ]);
    const { json } = await control(sim, 'GET', '/payments?order=ord_1');
    const ours = (json['data'] as Json[]).filter((row) => row['out_trade_no'] === content.out_trade_no);
    expect(ours).toMatchObject([{ merchant: mode === 'certificate' ? CERT_APP_ID : APP_ID, status: 'paid' }]);
  });
});

describe.each([
  ['alipay.trade.page.pay', 'FAST_INSTANT_TRADE_PAY'],
  ['alipay.trade.wap.pay', 'QUICK_WAP_WAY'],
])('%s', (method, productCode) => {
  const content = (changes: Json = {}) => trade({ product_code: productCode, ...changes });

  it('is not known before a browser brings it; paid by the control as by a browser', async () => {
    const wanted = content();
    expect((await pay(sim, wanted.out_trade_no)).status).toBe(404);
    const { status, json } = await pay(sim, wanted.out_trade_no, { url: pageUrl(sim, method, wanted) });
    expect([status, json['status']]).toEqual([200, 'paid']);
    expect(await queried(wanted.out_trade_no)).toMatchObject({ tradeStatus: 'TRADE_SUCCESS' });
  });

  it('shows a cashier with buttons, and leads back with parameters that the SDK verifies', async () => {
    const wanted = content();
    const back = { returnUrl: 'https://shop.example.com/back?order=1' };
    const before = await (await fetch(pageUrl(sim, method, wanted, back))).text();
    for (const button of ['支付 Pay', '失败 Fail', '取消 Cancel']) expect(before).toContain(button);
    expect(before).toContain('88.88 CNY');
    expect(await queried(wanted.out_trade_no)).toMatchObject({ subCode: 'ACQ.TRADE_NOT_EXIST' });
    const action = /action="([^"]+)"/.exec(before)![1]!.replaceAll('&amp;', '&');
    const post = { method: 'POST', body: new URLSearchParams({ action: 'pay' }) };
    const after = await (await fetch(sim.url + action, post)).text();
    const link = /<a href="([^"]+)"/.exec(after)![1]!;
    const returned = await fetch(link, { redirect: 'manual' });
    const url = new URL(returned.headers.get('location') ?? '');
    expect(url.origin + url.pathname).toBe('https://shop.example.com/back');
    const { order, ...params } = Object.fromEntries(url.searchParams);
    expect(order).toBe('1');
    expect(params).toMatchObject({ method: `${method}.return`, total_amount: '88.88', seller_id: SELLER_ID });
    expect(alipayClient(sim).checkNotifySignV2(params)).toBe(true);
    expect(alipayClient(sim).checkNotifySignV2({ ...params, total_amount: '0.01' })).toBe(false);
  });

  it('posted by a form that submits itself', async () => {
    const wanted = content();
    const fields = new URL(pageUrl(sim, method, wanted)).searchParams;
    const inputs = [...fields].map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value.replaceAll('"', '&quot;')}">`,
    );
    const form = `<form method="post" action="${sim.url}/gateway.do">${inputs.join('')}</form><script>document.forms[0].submit()</script>`;
    const shop = await formShop();
    shop.answer = () => ({ status: 200, body: form });
    expect((await pay(sim, wanted.out_trade_no, { url: shop.url })).status).toBe(200);
    shop.close();
  });

  it.each([
    ['another signature', 'sign', 'AAAA', 'invalid-signature'],
    ['an unknown application', 'app_id', '2021000000000009', 'invalid-app-id'],
  ])('shows %s as an error, with HTTP 200', async (_why, name, value, code) => {
    const url = new URL(pageUrl(sim, method, content()));
    url.searchParams.set(name, value);
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html;charset=GBK']);
    expect(await answer.text()).toContain(code);
  });

  it('its link may be opened an hour later', async () => {
    const wanted = content();
    const url = pageUrl(sim, method, wanted, { timestamp: timestamp(-3600_000) });
    expect((await pay(sim, wanted.out_trade_no, { url })).status).toBe(200);
  });
});

describe('a bar code', () => {
  const sdk = () => alipayClient(sim);
  const shown = async (last: string, changes: Json = {}) => {
    const content = trade({ auth_code: `28763443825664394${last}`, scene: 'bar_code', ...changes });
    return { content, answer: await exec(sdk(), 'alipay.trade.pay', content), number: content.out_trade_no };
  };
  const cancelled = (number: string) => exec(sdk(), 'alipay.trade.cancel', { out_trade_no: number });

  it.each(['0', '3', '7'])('ending in %s pays at once', async (last) => {
    const { answer, number } = await shown(last);
    expect(answer).toMatchObject({ code: '10000', totalAmount: '88.88', gmtPayment: expect.any(String) });
    expect(await queried(number)).toMatchObject({ tradeStatus: 'TRADE_SUCCESS' });
  });

  it('ending in 8 waits for the password, then is paid', async () => {
    const { answer, number, content } = await shown('8');
    expect(answer).toMatchObject({ code: '10003', outTradeNo: number });
    expect(await exec(sdk(), 'alipay.trade.pay', content)).toMatchObject({ code: '10003' });
    expect(await queried(number)).toMatchObject({ tradeStatus: 'WAIT_BUYER_PAY' });
    await pay(sim, number);
    expect(await queried(number)).toMatchObject({ tradeStatus: 'TRADE_SUCCESS' });
    expect(await exec(sdk(), 'alipay.trade.pay', content)).toMatchObject({ subCode: 'ACQ.TRADE_HAS_SUCCESS' });
  });

  it('ending in 8 may fail', async () => {
    const { number } = await shown('8');
    await control(sim, 'POST', `/payments/${number}`, { action: 'fail' });
    expect(await queried(number)).toMatchObject({ tradeStatus: 'TRADE_CLOSED' });
    expect((await pay(sim, number)).status).toBe(409);
  });

  it('ending in 9 fails; one that is none is refused', async () => {
    const { answer, number } = await shown('9');
    expect(answer).toMatchObject({ code: '40004', subCode: 'ACQ.BUYER_BALANCE_NOT_ENOUGH' });
    expect(await queried(number)).toMatchObject({ tradeStatus: 'TRADE_CLOSED' });
    expect((await shown('x')).answer).toMatchObject({ subCode: 'ACQ.PAYMENT_AUTH_CODE_INVALID' });
  });

  it('revoked: closed while unpaid, given back once paid, nothing where nothing is', async () => {
    const waiting = await shown('8');
    expect(await cancelled(waiting.number)).toMatchObject({ code: '10000', action: 'close', retryFlag: 'N' });
    expect((await pay(sim, waiting.number)).status).toBe(409);
    expect((await cancelled(waiting.number))['action']).toBeUndefined();
    const paid = await shown('1');
    expect(await cancelled(paid.number)).toMatchObject({ action: 'refund', retryFlag: 'N' });
    expect((await cancelled(paid.number))['action']).toBeUndefined();
    expect((await ledgerOf(sim, paid.number)).map(({ type, amount }) => [type, amount])).toEqual([
      ['capture', 8888],
      ['refund', 8888],
    ]);
    const never = await cancelled('T-never');
    expect([never.code, never['action']]).toEqual(['10000', undefined]);
  });
});

describe('a refund', () => {
  const paidQr = async () => {
    const { outTradeNo } = await qr(sim);
    await pay(sim, outTradeNo);
    return outTradeNo;
  };
  const refund = (outTradeNo: string, amount: string, number = 'R1') =>
    exec(alipayClient(sim), 'alipay.trade.refund', {
      out_trade_no: outTradeNo,
      refund_amount: amount,
      out_request_no: number,
    });
  const refundOf = (outTradeNo: string, number = 'R1') =>
    exec(alipayClient(sim), 'alipay.trade.fastpay.refund.query', { out_trade_no: outTradeNo, out_request_no: number });

  it('never goes over what was paid, nor changes its amount', async () => {
    const number = await paidQr();
    expect(await refund(number, '88.89')).toMatchObject({ subCode: 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL' });
    await refund(number, '80');
    expect(await refund(number, '79.99')).toMatchObject({ subCode: 'ACQ.DISCORDANT_REPEAT_REQUEST' });
    expect(await refund(number, '8.89', 'R2')).toMatchObject({ subCode: 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL' });
    expect(await refund(number, '8.88', 'R2')).toMatchObject({ refundFee: '88.88' });
  });

  it('of what is unpaid or unknown is refused', async () => {
    const { outTradeNo, qrCode } = await qr(sim);
    expect(await refund(outTradeNo, '1')).toMatchObject({ subCode: 'ACQ.TRADE_NOT_EXIST' });
    await fetch(qrCode);
    expect(await refund(outTradeNo, '1')).toMatchObject({ subCode: 'ACQ.TRADE_STATUS_ERROR' });
  });

  it('can be delayed, fail, or come too often', async () => {
    const number = await paidQr();
    await faults(sim, { refund_fails: true });
    expect(await refund(number, '1', 'R0')).toMatchObject({ subCode: 'ACQ.SELLER_BALANCE_NOT_ENOUGH' });
    await endFaults(sim);
    await faults(sim, { refund_delay_ms: 600_000 });
    expect(await refund(number, '1')).toMatchObject({ code: '10000', fundChange: 'N', refundFee: '0.00' });
    const waiting = await refundOf(number);
    expect([waiting.code, waiting['refundStatus']]).toEqual(['10000', undefined]);
    await endFaults(sim);
    await eventually(async () => expect(await refundOf(number)).toMatchObject({ refundStatus: 'REFUND_SUCCESS' }));
    await faults(sim, { refund_gap_ms: 600_000 });
    expect(await refund(number, '1', 'R2')).toMatchObject({ code: '40005', subCode: 'isv.app-call-limited' });
    expect((await ledgerOf(sim, number)).map(({ amount }) => amount)).toEqual([8888, 100]);
  });
});
