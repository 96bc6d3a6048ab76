import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import { control, endFaults, eventually, faults, ledgerOf, pay, shop, temporaryFolder } from './support.ts';
import {
  ask,
  fieldsOf,
  frontParams,
  isGenuine,
  merchant,
  openedQr,
  stranger,
  paidQr,
  post,
  qrParams,
  queryParams,
  refundParams,
  signed,
  stateOf,
  timeAt,
  unionpaySimulator,
  type Params,
} from './unionpay-support.ts';

let sim: Simulator;
let merchantShop: Awaited<ReturnType<typeof shop>>;
beforeAll(async () => {
  sim = await unionpaySimulator();
  merchantShop = await shop();
  merchantShop.answer = () => 200;
});
afterEach(() => endFaults(sim));
afterAll(async () => {
  merchantShop.close();
  await sim.stop();
});

const form = (params: Params): string => new URLSearchParams(signed(params)).toString();
const noticesFor = (orderId: string | undefined): Params[] =>
  merchantShop.received
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
    .filter((n) => n['orderId'] === orderId);

describe('a code', () => {
  it('is an http page of the simulator, where a person can pay, fail or cancel', async () => {
    const { orderId, qrCode, ...params } = await openedQr(sim);
    expect(qrCode).toMatch(new RegExp(`^${sim.url}/unionpay/cashier/[0-9a-f]{24}$`));
    const page = await (await fetch(qrCode)).text();
    expect(page).toContain('绿茶 2 盒');
    for (const action of ['pay', 'fail', 'cancel']) expect(page).toContain(`value="${action}"`);
    const target = /action="([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&');
    const click = (action: string) =>
      fetch(sim.url + target, { method: 'POST', body: new URLSearchParams({ action }) });
    await click('fail');
    expect(await stateOf(sim, { ...params, orderId: orderId! })).toMatchObject({ respCode: '00', origRespCode: '64' });
    await click('pay');
    expect(await stateOf(sim, { ...params, orderId: orderId! })).toMatchObject({ respCode: '00', origRespCode: '00' });
    expect(await (await fetch(qrCode)).text()).not.toContain('value="pay"');
  });

  it('is told to be paid, by query, notice and ledger', async () => {
    const { queryId, ...params } = await paidQr(sim, { backUrl: merchantShop.url });
    expect(queryId).toMatch(/^\d{21}$/);
    const same = { txnAmt: '8888', currencyCode: '156', reqReserved: 'ord_1', txnTime: params['txnTime'], queryId };
    expect(await stateOf(sim, params)).toMatchObject({
      ...same,
      respCode: '00',
      origRespCode: '00',
      settleAmt: '8888',
    });
    const [notice] = await eventually(() => {
      expect(noticesFor(params['orderId'])).toHaveLength(1);
      return noticesFor(params['orderId']);
    });
    expect(notice).toMatchObject({ ...same, respCode: '00', txnType: '01', merId: merchant.merId });
    expect(isGenuine(sim, notice!)).toBe(true);
    expect(await ledgerOf(sim, params['orderId']!)).toMatchObject([
      { provider: 'unionpay', trade_no: queryId, type: 'capture', amount: 8888, currency: 'CNY' },
    ]);
  });

  it('is the same transaction only with the same number and time', async () => {
    const params = await openedQr(sim);
    const { qrCode: _, ...again } = params;
    expect(await ask(sim, 'backTransReq', again as Params)).toMatchObject({ respCode: '12' });
    await pay(sim, params['orderId']!);
    const later = { ...again, txnTime: timeAt(Date.now() + 1000) } as Params;
    expect(await ask(sim, 'backTransReq', later)).toMatchObject({ respCode: '00' });
    expect(await stateOf(sim, later)).toMatchObject({ origRespCode: '05' });
  });

  it('waits, and can not be paid after payTimeout but by force', async () => {
    let now = Date.now();
    const own = await unionpaySimulator({ now: () => now });
    const params = await openedQr(own);
    expect(await stateOf(own, params)).toMatchObject({ respCode: '00', origRespCode: '05' });
    expect(await stateOf(own, { ...params, orderId: 'nope12345678' })).toMatchObject({ respCode: '34' });
    now += 16 * 60_000;
    expect(await stateOf(own, params)).toMatchObject({ respCode: '00', origRespCode: '39' });
    expect((await pay(own, params['orderId']!)).status).toBe(409);
    expect((await pay(own, params['orderId']!, { force: true })).status).toBe(200);
    expect(await stateOf(own, params)).toMatchObject({ origRespCode: '00' });
    await own.stop();
  });

  it('paid with another amount says so', async () => {
    const params = await openedQr(sim);
    await pay(sim, params['orderId']!, { amount: 1 });
    expect(await stateOf(sim, params)).toMatchObject({ origRespCode: '00', txnAmt: '1' });
  });
});

describe('the gateway', () => {
  it('exists only once a browser carried the form there', async () => {
    const params = frontParams();
    expect(await stateOf(sim, params)).toMatchObject({ respCode: '34' });
    const arrived = await post(sim, 'frontTransReq', form(params));
    expect(arrived.status).toBe(303);
    const cashier = await (await fetch(arrived.headers.get('location')!)).text();
    expect(cashier).toContain('88.88 CNY');
    expect(await stateOf(sim, params)).toMatchObject({ respCode: '00', origRespCode: '05' });
    const back = arrived.headers.get('location')!.replace('/cashier/', '/return/');
    expect((await fetch(back, { redirect: 'manual' })).headers.get('location')).toBe('https://shop.example.com/back');
    await pay(sim, params['orderId']!);
    expect(await (await fetch(arrived.headers.get('location')!)).text()).toContain(`href="${back}"`);
    const led = await (await fetch(back)).text();
    expect(led).toContain('<form method="post" action="https://shop.example.com/back">');
    const fields = Object.fromEntries(
      [...led.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
    );
    expect(fields).toMatchObject({ orderId: params['orderId'], respCode: '00', txnAmt: '8888' });
    expect(isGenuine(sim, fields)).toBe(true);
  });

  it('takes a reloaded page as the same payment, and another one under its number as a duplicate', async () => {
    const params = frontParams();
    const first = await post(sim, 'frontTransReq', form(params));
    const again = await post(sim, 'frontTransReq', form(params));
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    const other = await post(sim, 'frontTransReq', form({ ...params, txnAmt: '1' }));
    expect([other.status, await other.text()]).toEqual([400, expect.stringContaining('12 重复交易')]);
  });

  it('shows the buyer why it refuses', async () => {
    const answer = await post(
      sim,
      'frontTransReq',
      new URLSearchParams({ ...signed(frontParams()), txnAmt: '1' }).toString(),
    );
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('11 验证签名失败')]);
  });
});

describe('a refund', () => {
  it('is accepted first; it and its notice tell how it ended', async () => {
    await faults(sim, { refund_delay_ms: 300 });
    const paid = await paidQr(sim, { backUrl: merchantShop.url });
    const params = refundParams(paid, paid.queryId, '800');
    expect(await ask(sim, 'backTransReq', params)).toMatchObject({ respCode: '00', origQryId: paid.queryId });
    expect(await stateOf(sim, params)).toMatchObject({ respCode: '00', origRespCode: '05' });
    expect(await ledgerOf(sim, paid['orderId']!)).toHaveLength(1);
    const done = { txnType: '04', txnAmt: '800', origQryId: paid.queryId };
    await eventually(async () => expect(await stateOf(sim, params)).toMatchObject({ ...done, origRespCode: '00' }));
    await eventually(() => expect(noticesFor(params['orderId'])).toMatchObject([{ ...done, respCode: '00' }]));
    expect(isGenuine(sim, noticesFor(params['orderId'])[0]!)).toBe(true);
    expect(await ledgerOf(sim, paid['orderId']!)).toMatchObject([{ type: 'capture' }, { type: 'refund', amount: 800 }]);
  });

  it('that fails is told too, and frees its amount', async () => {
    const paid = await paidQr(sim, { backUrl: merchantShop.url });
    await faults(sim, { refund_fails: true });
    const params = refundParams(paid, paid.queryId, '8888');
    await ask(sim, 'backTransReq', params);
    await eventually(() => expect(noticesFor(params['orderId'])).toMatchObject([{ respCode: '61' }]));
    expect(await stateOf(sim, params)).toMatchObject({ respCode: '00', origRespCode: '61' });
    await endFaults(sim);
    const next = refundParams(paid, paid.queryId, '8888');
    expect(await ask(sim, 'backTransReq', next)).toMatchObject({ respCode: '00' });
  });

  it('under its own number and time is a duplicate, under another one is another refund', async () => {
    const paid = await paidQr(sim);
    const params = refundParams(paid, paid.queryId, '800');
    const answers = [];
    for (const each of [params, params, refundParams(paid, paid.queryId, '800')])
      answers.push((await ask(sim, 'backTransReq', each))['respCode']);
    expect(answers).toEqual(['00', '12', '00']);
  });

  it('never gives back more than was paid, also at once', async () => {
    const paid = await paidQr(sim);
    const all = await Promise.all(
      Array.from({ length: 10 }, () => ask(sim, 'backTransReq', refundParams(paid, paid.queryId, '3000'))),
    );
    expect(all.filter(({ respCode }) => respCode === '00')).toHaveLength(2);
    expect(all.filter(({ respCode }) => respCode === '36')).toHaveLength(8);
    expect(await ask(sim, 'backTransReq', refundParams(paid, paid.queryId, '2888'))).toMatchObject({ respCode: '00' });
    expect(await ask(sim, 'backTransReq', refundParams(paid, paid.queryId, '1'))).toMatchObject({ respCode: '45' });
  });

  it('needs a paid original of the same merchant and kind', async () => {
    const paid = await paidQr(sim);
    const unknown = refundParams(paid, '932611211000000000008', '1');
    expect(await ask(sim, 'backTransReq', unknown)).toMatchObject({ respCode: '35' });
    const other = refundParams(paid, paid.queryId, '1', { bizType: '000201' });
    expect(await ask(sim, 'backTransReq', other)).toMatchObject({ respCode: '36' });
    const { merId, certId, privateKey } = stranger;
    const foreign = refundParams(paid, paid.queryId, '1', { merId, certId });
    expect(await ask(sim, 'backTransReq', foreign, privateKey)).toMatchObject({ respCode: '35' });
  });

  it('comes too soon after another with refund_gap_ms', async () => {
    const paid = await paidQr(sim);
    await ask(sim, 'backTransReq', refundParams(paid, paid.queryId, '1'));
    await faults(sim, { refund_gap_ms: 60_000 });
    expect(await ask(sim, 'backTransReq', refundParams(paid, paid.queryId, '1'))).toMatchObject({ respCode: '06' });
  });
});

describe('strictness', () => {
  const wrong: [string, Params, string][] = [
    ['a version', { version: '5.0.0' }, '10'],
    ['a number with a dash', { orderId: 'T-2026112110' }, '10'],
    ['a short number', { orderId: 'T123456' }, '10'],
    ['a long number', { orderId: 'T'.repeat(41) }, '10'],
    ['an amount in yuan', { txnAmt: '88.88' }, '10'],
    ['an amount of 0', { txnAmt: '0' }, '10'],
    ['another currency', { currencyCode: '840' }, '10'],
    ['a time that is none', { txnTime: '20261332000000' }, '10'],
    ['a time-out before the start', { payTimeout: '20200101000000' }, '10'],
    ['a back address without https', { backUrl: 'http://shop.example.com/n' }, '10'],
    ['separators in free text', { reqReserved: 'a=1&b=2' }, '10'],
    ['no amount', { txnAmt: '' }, '13'],
    ['no back address', { backUrl: '' }, '13'],
    ['another business', { bizType: '000201' }, '10'],
    ['a transaction that is not offered', { txnType: '31', txnSubType: '00' }, '32'],
    ['an unknown merchant', { merId: '777290058119999' }, '31'],
    ['another certificate', { certId: '1' }, '11'],
  ];
  it.each(wrong)('refuses %s', async (_, changes, respCode) => {
    const params = qrParams(changes);
    expect(await ask(sim, 'backTransReq', params)).toMatchObject({ respCode });
    expect((await control(sim, 'GET', '/payments')).json['data']).not.toContainEqual(
      expect.objectContaining({ out_trade_no: params['orderId'] }),
    );
  });

  it('refuses another key, a changed field, a field twice, and what is no form', async () => {
    expect(await ask(sim, 'backTransReq', qrParams(), stranger.privateKey)).toMatchObject({
      respCode: '11',
    });
    const bodies: [string, string, Params?][] = [
      [form(qrParams()).replace('txnAmt=8888', 'txnAmt=1'), '11'],
      [`${form(qrParams())}&txnAmt=1`, '13'],
      [JSON.stringify(signed(qrParams())), '13', { 'content-type': 'application/json' }],
    ];
    for (const [body, respCode, headers] of bodies) {
      const answer = fieldsOf(await (await post(sim, 'backTransReq', body, headers)).text());
      expect(answer).toMatchObject({ respCode });
      expect(isGenuine(sim, answer)).toBe(true);
    }
    expect((await post(sim, 'backTransReq', 'a'.repeat(70_000))).status).toBe(413);
  });
});

describe('notices', () => {
  it('come five times at most until the shop says 200', async () => {
    const refusing = await shop();
    refusing.answer = () => 500;
    await paidQr(sim, { backUrl: refusing.url });
    await eventually(() => expect(refusing.received).toHaveLength(5));
    const bodies = refusing.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    expect(new Set(bodies.map(({ queryId }) => queryId)).size).toBe(1);
    refusing.close();
  });

  it('and answers carry a wrong signature with corrupt_signature, and a right one again afterwards', async () => {
    merchantShop.answer = () => 500;
    await faults(sim, { corrupt_signature: true });
    const params = qrParams({ backUrl: merchantShop.url });
    const opened = await post(sim, 'backTransReq', form(params));
    expect(isGenuine(sim, fieldsOf(await opened.text()))).toBe(false);
    await pay(sim, params['orderId']!);
    await eventually(() => expect(noticesFor(params['orderId']).length).toBeGreaterThan(0));
    expect(noticesFor(params['orderId']).some((notice) => isGenuine(sim, notice))).toBe(false);
    merchantShop.answer = () => 200;
    await endFaults(sim);
    await eventually(() => expect(isGenuine(sim, noticesFor(params['orderId']).at(-1)!)).toBe(true));
  });
});

it('an outage is a 502 before anything happened; a lost answer comes after it', async () => {
  await faults(sim, { error_rate: 1 });
  const params = qrParams();
  expect((await post(sim, 'backTransReq', form(params))).status).toBe(502);
  await endFaults(sim);
  expect(await stateOf(sim, params)).toMatchObject({ respCode: '34' });
});

it('keeps its chain and its books over a restart', async () => {
  const folder = await temporaryFolder();
  const first = await unionpaySimulator({ dataDir: folder.path });
  const params = await paidQr(first);
  await first.stop();
  const second = await unionpaySimulator({ dataDir: folder.path });
  expect(second.unionpay).toEqual(first.unionpay);
  expect(await ask(second, 'queryTrans', queryParams(params))).toMatchObject({
    origRespCode: '00',
    queryId: params.queryId,
  });
  await second.stop();
  await folder.remove();
});
