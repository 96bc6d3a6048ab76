import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import { NOTICE_PAUSES_SECONDS } from '../../simulator/alipay/notices.ts';
import { alipayClient, APP_ID, exec, formShop, merchants, qr, SELLER_ID } from './alipay-support.ts';
import { control, endFaults, eventually, faults, pause, pay, simulator, type Json } from './support.ts';

let sim: Simulator;
let shop: Awaited<ReturnType<typeof formShop>>;
beforeAll(async () => {
  sim = await simulator({ merchants, noticeTimeScale: 0.0001 });
});
beforeEach(async () => {
  shop = await formShop();
});
afterEach(async () => {
  shop.close();
  await endFaults(sim);
});
afterAll(() => sim.stop());

const open = (changes: Json = {}) => qr(sim, changes, { notifyUrl: shop.url });
const isGenuine = (params: Record<string, string>) => alipayClient(sim).checkNotifySignV2(params);
const received = (count: number) =>
  eventually(() => {
    expect(shop.received).toHaveLength(count);
    return shop.received as [Record<string, string>, ...Record<string, string>[]];
  });
const noticesOf = async (number: string) => (await pay(sim, number)).json['notices'] as Json[];

it('a payment is told in a form that the SDK verifies', async () => {
  const { outTradeNo } = await open({ passback_params: 'ord_9', subject: 'a&b=c+d%' });
  await pay(sim, outTradeNo);
  const [notice] = await received(1);
  expect(notice).toMatchObject({
    notify_type: 'trade_status_sync',
    app_id: APP_ID,
    seller_id: SELLER_ID,
    out_trade_no: outTradeNo,
    trade_status: 'TRADE_SUCCESS',
    total_amount: '88.88',
    subject: 'a&b=c+d%',
    passback_params: 'ord_9',
  });
  expect(isGenuine(notice)).toBe(true);
  expect(isGenuine({ ...notice, total_amount: '0.01' })).toBe(false);
  await eventually(async () => expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'delivered' }]));
});

it.each([
  [200, 'SUCCESS'],
  [200, 'success '],
  [200, 'fail'],
  [500, 'success'],
])('%i "%s" is no answer to be content with', async (status, body) => {
  const { outTradeNo } = await open();
  let answers = 0;
  shop.answer = () => (++answers > 1 ? { status: 200, body: 'success' } : { status, body });
  await pay(sim, outTradeNo);
  const [first, second] = await received(2);
  expect(second!['notify_id']).toBe(first['notify_id']);
  expect(isGenuine(second!)).toBe(true);
});

it('is told eight times at most, as published', async () => {
  expect(NOTICE_PAUSES_SECONDS).toEqual([240, 600, 600, 3600, 7200, 21_600, 54_000]);
  const impatient = await simulator({ merchants, noticeTimeScale: 0.000_001 });
  shop.answer = () => ({ status: 200, body: 'fail' });
  const { outTradeNo } = await qr(impatient, {}, { notifyUrl: shop.url });
  await pay(impatient, outTradeNo);
  await received(8);
  await eventually(async () => {
    const { json } = await pay(impatient, outTradeNo);
    expect(json['notices']).toMatchObject([{ status: 'given_up', attempts: 8 }]);
  });
  await impatient.stop();
});

it('a repeated delivery has its own time, and is signed with it', async () => {
  let now = Date.now();
  const later = await simulator({ merchants, noticeTimeScale: 0.000_1, now: () => now });
  let answers = 0;
  shop.answer = () => {
    now += 2000;
    return { status: 200, body: ++answers > 1 ? 'success' : 'fail' };
  };
  const { outTradeNo } = await qr(later, {}, { notifyUrl: shop.url });
  await pay(later, outTradeNo);
  const [first, second] = await received(2);
  expect(second!['notify_time']! > first['notify_time']!).toBe(true);
  expect(alipayClient(later).checkNotifySignV2(second!)).toBe(true);
  await later.stop();
});

it('refunds are told with what went back in all; a failed or unpaid one is not told', async () => {
  const { outTradeNo } = await open();
  await control(sim, 'POST', `/payments/${outTradeNo}`, { action: 'fail' });
  await pay(sim, outTradeNo);
  await received(1);
  const refund = (amount: string, number: string) =>
    exec(alipayClient(sim), 'alipay.trade.refund', {
      out_trade_no: outTradeNo,
      refund_amount: amount,
      out_request_no: number,
    });
  await faults(sim, { refund_fails: true });
  await refund('1', 'R0');
  await endFaults(sim);
  await refund('8.88', 'R1');
  const part = (await received(2))[1]!;
  expect(part).toMatchObject({ trade_status: 'TRADE_SUCCESS', out_biz_no: 'R1', refund_fee: '8.88' });
  expect(part['gmt_refund']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  await refund('80', 'R2');
  const whole = (await received(3))[2]!;
  expect(whole).toMatchObject({ trade_status: 'TRADE_CLOSED', out_biz_no: 'R2', refund_fee: '88.88' });
  expect(isGenuine(part) && isGenuine(whole)).toBe(true);
});

it('another amount is told as it was paid; faults lose, double, delay and spoil notices', async () => {
  const other = await open();
  await pay(sim, other.outTradeNo, { amount: 1 });
  expect((await received(1))[0]['total_amount']).toBe('0.01');
  shop.received.length = 0;

  await faults(sim, { drop_notices: true });
  await pay(sim, (await open()).outTradeNo);
  await endFaults(sim);
  await faults(sim, { duplicate_notices: 2 });
  await pay(sim, (await open()).outTradeNo);
  await received(3);
  await endFaults(sim);
  shop.received.length = 0;

  await faults(sim, { delay_notices_ms: 600_000 });
  await pay(sim, (await open()).outTradeNo);
  await pause(50);
  expect(shop.received).toHaveLength(0);
  await endFaults(sim);
  expect(isGenuine((await received(1))[0])).toBe(true);
  shop.received.length = 0;

  const spoiled = await open();
  await faults(sim, { corrupt_signature: true });
  await pay(sim, spoiled.outTradeNo);
  expect(isGenuine((await received(1))[0])).toBe(false);
});
