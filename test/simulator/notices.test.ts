import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator } from '../../simulator/server.ts';
import { NOTICE_PAUSES_SECONDS } from '../../simulator/wechatpay/notices.ts';
import type { Json } from './support.ts';
import {
  APPID,
  control,
  decrypted,
  endFaults,
  eventually,
  faults,
  isGenuine,
  MCHID,
  opened,
  pause,
  pay,
  refund,
  shop,
  simulator,
} from './support.ts';

let sim: Simulator;
let merchantShop: Awaited<ReturnType<typeof shop>>;
beforeAll(async () => {
  sim = await simulator();
});
beforeEach(async () => {
  merchantShop = await shop();
});
afterEach(async () => {
  merchantShop.close();
  await endFaults(sim);
});
afterAll(() => sim.stop());

const open = (changes: Json = {}) => opened(sim, { notify_url: merchantShop.url, ...changes });
const received = (count: number) =>
  eventually(() => {
    expect(merchantShop.received).toHaveLength(count);
    return merchantShop.received;
  });
const noticesOf = async (number: string) =>
  (await control(sim, 'POST', `/payments/${number}`, { action: 'pay' })).json['notices'] as Json[];

describe('the notice of a payment', () => {
  it('is signed, encrypted and says what the query says', async () => {
    const { outTradeNo } = await open({ attach: 'ord_9' });
    await pay(sim, outTradeNo);
    const [notice] = await received(1);
    expect(notice && isGenuine(sim, notice)).toBe(true);
    expect(notice?.headers).toMatchObject({
      'content-type': 'application/json',
      'request-id': expect.stringMatching(/./),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
    });
    expect(notice?.json).toMatchObject({
      id: expect.stringMatching(/^EV-\d{20,33}$/),
      create_time: expect.stringMatching(/\+08:00$/),
      resource_type: 'encrypt-resource',
      event_type: 'TRANSACTION.SUCCESS',
      resource: {
        algorithm: 'AEAD_AES_256_GCM',
        original_type: 'transaction',
        associated_data: 'transaction',
        nonce: expect.stringMatching(/^.{12}$/),
      },
    });
    expect(notice && decrypted(notice)).toMatchObject({
      appid: APPID,
      mchid: MCHID,
      out_trade_no: outTradeNo,
      trade_state: 'SUCCESS',
      attach: 'ord_9',
      amount: { total: 8888, payer_total: 8888, currency: 'CNY' },
    });
    await eventually(async () =>
      expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'delivered', attempts: 1 }]),
    );
  });

  it('is signed by the key that the merchant asked for', async () => {
    for (const serial of [sim.wechatpay.platformPublicKeyId, sim.wechatpay.platformCertificates[0]?.serialNo ?? '']) {
      merchantShop.received.length = 0;
      const { outTradeNo } = await opened(sim, { notify_url: merchantShop.url }, { serial });
      await pay(sim, outTradeNo);
      const [notice] = await received(1);
      expect(notice?.headers['wechatpay-serial']).toBe(serial);
      expect(notice && isGenuine(sim, notice)).toBe(true);
    }
  });

  it('comes again until 200 or 204: the same id and body, each time signed anew', async () => {
    const answers = [500, 302, 404, 201, 200];
    merchantShop.answer = () => answers.shift() ?? 204;
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    const notices = await received(5);
    await pause(300);
    expect(merchantShop.received).toHaveLength(5);
    expect(new Set(notices.map(({ body }) => body)).size).toBe(1);
    expect(new Set(notices.map(({ path }) => path)).size).toBe(1); // The redirect was not followed.
    expect(new Set(notices.map(({ headers }) => headers['wechatpay-nonce'])).size).toBe(5);
    expect(notices.every((notice) => isGenuine(sim, notice))).toBe(true);
    expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'delivered', attempts: 5 }]);
  });

  it('keeps to the published pauses', async () => {
    expect(NOTICE_PAUSES_SECONDS.map((seconds) => seconds / 60)).toEqual([
      0.25, 0.25, 0.5, 3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360,
    ]);
    merchantShop.answer = () => 500;
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    const notices = await received(5);
    const gaps = notices.slice(1).map(({ at }, index) => at - (notices[index]?.at ?? 0));
    const wanted = NOTICE_PAUSES_SECONDS.slice(0, 4); // Milliseconds here: the scale is 0.001.
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual((wanted[index] ?? 0) - 2); // Timers may be a little early.
      expect(gap).toBeLessThan((wanted[index] ?? 0) + 150);
    }
  });

  it('is given up after the last pause', async () => {
    const quick = await simulator({ noticeTimeScale: 0.000_001 });
    merchantShop.answer = () => 500;
    const { outTradeNo } = await opened(quick, { notify_url: merchantShop.url });
    await pay(quick, outTradeNo);
    await received(16);
    await pause(200);
    expect(merchantShop.received).toHaveLength(16);
    const { json } = await control(quick, 'GET', '/payments');
    expect((json['data'] as Json[])[0]?.['notices']).toMatchObject([
      { status: 'given_up', attempts: 16, last_error: 'answered 500' },
    ]);
    await quick.stop();
  });

  it('comes again after five seconds without an answer', async () => {
    merchantShop.answer = () => (merchantShop.received.length === 1 ? null : 204);
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    const [first, second] = await eventually(async () => received(2), 8000);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(4900);
    await eventually(async () => expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'delivered' }]));
  }, 15_000);

  it('comes again where nobody listens', async () => {
    const { outTradeNo } = await opened(sim); // Port 9.
    await pay(sim, outTradeNo);
    await eventually(async () => {
      const [notice] = await noticesOf(outTradeNo);
      expect(Number(notice?.['attempts'])).toBeGreaterThan(1);
      expect(notice).toMatchObject({ status: 'due', last_error: expect.stringMatching(/./) });
    });
  });
});

describe('faults of notices', () => {
  it('drop_notices: lost for good', async () => {
    await faults(sim, { drop_notices: true });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await endFaults(sim);
    await pause(300);
    expect(merchantShop.received).toHaveLength(0);
    expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'dropped', attempts: 0 }]);
  });

  it('drop_notices: a retry that falls into it is lost too', async () => {
    merchantShop.answer = () => 500;
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await received(1);
    await faults(sim, { drop_notices: true });
    await eventually(async () => expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'dropped' }]));
  });

  it('duplicate_notices: extra copies, all genuine', async () => {
    await faults(sim, { duplicate_notices: 3 });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    const notices = await received(4);
    expect(new Set(notices.map(({ body }) => body)).size).toBe(1);
    expect(notices.every((notice) => isGenuine(sim, notice))).toBe(true);
    await pause(200);
    expect(merchantShop.received).toHaveLength(4);
  });

  it('delay_notices_ms: late', async () => {
    await faults(sim, { delay_notices_ms: 500 });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    const paidAt = Date.now();
    const [notice] = await received(1);
    expect((notice?.at ?? 0) - paidAt).toBeGreaterThanOrEqual(400);
  });

  it('delay_notices_ms: ending the faults sends what is delayed, once', async () => {
    await faults(sim, { delay_notices_ms: 3_600_000 });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await pause(200);
    expect(merchantShop.received).toHaveLength(0);
    await endFaults(sim);
    await received(1);
    await pause(200);
    expect(merchantShop.received).toHaveLength(1);
  });

  it('reorder_notices: the later one arrives first', async () => {
    await faults(sim, { reorder_notices: true, refund_delay_ms: 0 });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await pause(100);
    expect(merchantShop.received).toHaveLength(0);
    await refund(sim, outTradeNo, 8888, { notify_url: merchantShop.url });
    const notices = await received(2);
    expect(notices.map(({ json }) => json['event_type'])).toEqual(['REFUND.SUCCESS', 'TRANSACTION.SUCCESS']);
  });

  it('reorder_notices: a retry of an older notice does not count as a later one', async () => {
    const quick = await simulator({ noticeTimeScale: 0.005 });
    await pay(quick, (await opened(quick)).outTradeNo); // Nobody listens: tried again every 75 ms at first.
    await faults(quick, { reorder_notices: true });
    const { outTradeNo } = await opened(quick, { notify_url: merchantShop.url });
    await pay(quick, outTradeNo);
    await pause(400);
    expect(merchantShop.received).toHaveLength(0);
    await quick.stop();
  });

  it('reorder_notices: ending the faults sends the one that waits', async () => {
    await faults(sim, { reorder_notices: true });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await pause(100);
    await endFaults(sim);
    await received(1);
  });

  it('reorder_notices: one that nothing overtakes still arrives', async () => {
    await faults(sim, { reorder_notices: true });
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await eventually(() => expect(merchantShop.received).toHaveLength(1), 8000);
  }, 12_000);

  it('corrupt_signature: wrong now, right after it ended', async () => {
    await faults(sim, { corrupt_signature: true });
    merchantShop.answer = (notice) => (isGenuine(sim, notice) ? 204 : 401);
    const { outTradeNo } = await open();
    await pay(sim, outTradeNo);
    await received(1);
    await endFaults(sim);
    await eventually(async () => expect(await noticesOf(outTradeNo)).toMatchObject([{ status: 'delivered' }]));
    const verdicts = merchantShop.received.map((notice) => isGenuine(sim, notice));
    expect([verdicts[0], verdicts.at(-1)]).toEqual([false, true]);
  });
});
