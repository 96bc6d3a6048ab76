import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys, signed } from '../providers/wechatpay-peer.ts';
import { send, type Letter } from './letterbox.ts';
import { refundEnded, success, trustedPlatform, type Platform } from './platform.ts';
import { until } from '../support/orders.ts';
import { Shop, type Sale } from './shop.ts';

/** Scenarios 11 to 14 and 17: what a notice has to be before it counts. */

let shop: Shop;
let platform: Platform;
beforeAll(async () => {
  shop = await Shop.open();
  platform = await trustedPlatform(shop.api.system);
});
afterAll(() => shop?.close());

const answers = async (letter: Omit<Letter, 'answered'>): Promise<number> => (await send(shop.api.url, letter)).status;
const counted = (outcome: string) =>
  shop.metric(`orders_provider_notices_total{provider="wechatpay",outcome="${outcome}"}`);
/** How the order stands, its version in it: nothing has changed as long as it is the same. */
const unchanged = async (sale: Sale, before: unknown) => expect(await sale.read()).toEqual(before);

describe('a notice whose signature does not hold is refused, changes nothing, and is counted (12)', () => {
  const alter = (letter: Omit<Letter, 'answered'>, headers: Record<string, string>, body = letter.body) => ({
    ...letter,
    headers: { ...letter.headers, ...headers },
    body,
  });
  const forgeries: [string, (letter: Omit<Letter, 'answered'>) => Omit<Letter, 'answered'>][] = [
    ['none', (letter) => ({ ...letter, headers: { 'content-type': 'application/json' } })],
    ['an empty one', (letter) => alter(letter, { 'Wechatpay-Signature': '' })],
    ['a wrong one', (letter) => alter(letter, { 'Wechatpay-Signature': 'AAAA' })],
    ['a changed body', (letter) => alter(letter, {}, letter.body.replace('TRANSACTION.SUCCESS', 'REFUND.SUCCESS'))],
    ["another app's key", (letter) => alter(letter, signed(letter.body, { key: keys.alipay_platform, ...now() }))],
    ['a serial nobody knows', (letter) => alter(letter, signed(letter.body, { serial: 'ABCDEF', ...now() }))],
    [
      'another moment than was signed',
      (letter) => alter(letter, { 'Wechatpay-Timestamp': String(now().timestamp - 1) }),
    ],
  ];
  const now = () => ({ timestamp: Math.floor(Date.now() / 1000) });

  it.each(forgeries)('%s', async (_, forge) => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    const before = [await sale.read(), await counted('rejected')];
    const response = await send(shop.api.url, forge(platform.letter({ content: success(payment) })));
    expect([response.status, await response.json()]).toEqual([401, { code: 'FAIL', message: expect.any(String) }]);
    await unchanged(sale, before[0]);
    expect(await counted('rejected')).toBe(Number(before[1]) + 1);
  });
});

it('a notice that was signed more than five minutes ago is refused (13)', async () => {
  const sale = await shop.sells();
  const payment = await sale.opens();
  const before = await sale.read();
  for (const late of [-301, 301])
    expect(await answers(platform.letter({ content: success(payment), signedAt: Date.now() / 1000 + late }))).toBe(401);
  await unchanged(sale, before);
});

it('the same notice again is accepted and changes nothing, whether copied or sent anew (11, 13)', async () => {
  const sale = await shop.sold();
  const before = await sale.read();
  const copy = shop.letterbox.letters.at(-1)!;
  expect(new Set(await Promise.all(Array.from({ length: 100 }, () => answers(copy))))).toEqual(new Set([204]));
  const { id } = JSON.parse(copy.body) as { id: string };
  const [payment] = before.payments;
  const content = success(payment, { transaction_id: payment.provider_trade_no });
  for (const number of [id, 'EV-another']) expect(await answers(platform.letter({ id: number, content }))).toBe(204);
  await sale.takesIn();
  await unchanged(sale, before);
  expect(await sale.happened('order.paid')).toBe(1);
});

describe('a genuine notice that says something else does not pay (14)', () => {
  it.each([
    ['another amount', { amount: { total: 2999, currency: 'CNY' } }],
    ['another currency', { amount: { total: 3000, currency: 'USD' } }],
  ])('%s: disputed, with the reason, until a person resolves it', async (_, change) => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    expect(await answers(platform.letter({ content: success(payment, change) }))).toBe(204);
    const order = await sale.becomes(({ payments }) => payments[0].status === 'disputed');
    expect(order).toMatchObject({ status: 'pending_payment', paid_at: null, amounts: { paid: 0 } });
    expect(await sale.attention()).toEqual(['payment_disputed']);
    const { total: amount, currency } = change.amount;
    const { data } = (await sale.events()).find(({ type }) => type === 'payment.disputed');
    expect(data).toMatchObject({ amount, currency });
    await shop.forgetMoneyOf(sale);
  });

  it.each([
    ['merchant', { mchid: '1900000999' }],
    ['app', { appid: 'wx0000000000000000' }],
  ])('another %s: kept and flagged, the payment as it was; retry says that somebody has seen it', async (_, change) => {
    const sale = await shop.sells();
    const payment = await sale.opens();
    const foreign = await counted('foreign');
    expect(await answers(platform.letter({ content: success(payment, change) }))).toBe(204);
    const order = await sale.becomes(({ attention }) => attention.length > 0);
    expect(order).toMatchObject({ status: 'pending_payment', payments: [payment], refunds: [] });
    expect(await sale.attention()).toEqual(['foreign_notice']);
    expect(await counted('foreign')).toBe(foreign + 1);
    const { body } = await shop.api.call('GET /v1/orders?attention=true');
    expect(body.data.map(({ id }: { id: string }) => id)).toContain(sale.id);
    expect(
      await until(
        () => shop.metric('orders_in_attention'),
        (count) => count > 0,
      ),
    ).toBeGreaterThan(0);
    expect((await sale.retries()).status).toBe(200);
    expect(await sale.attention()).toEqual([]);
    await sale.buyer(payment, 'pay');
    await sale.isPaid();
  });

  it("a refund's for another merchant: flagged, the refund as it was", async () => {
    const sale = await shop.sold();
    await shop.faults({ refund_delay_ms: 3_600_000 });
    const approved = await sale.refunds({ amount: 100 });
    const refund = await sale.refundBecomes(approved.id, 'processing');
    const { payments } = await sale.read();
    const told = refundEnded(payments[0], refund, 'CLOSED', { mchid: '1900000999' });
    expect(await answers(platform.letter(told))).toBe(204);
    await sale.becomes(({ attention }) => attention.length > 0);
    expect([await sale.attention(), (await sale.refund(refund.id)).status]).toEqual([['foreign_notice'], 'processing']);
    await shop.noFaults();
    await sale.refundBecomes(refund.id, 'succeeded');
  });
});

it('a genuine notice of a kind that no order waits for is accepted, counted, and kept nowhere', async () => {
  const notices = () => shop.api.system.db.selectFrom('notices').select('id').execute();
  const [before, count] = [await notices(), await counted('unhandled')];
  const letter = platform.letter({ event: 'PAYSCORE.USER_PAID', content: { anything: true } });
  expect(await answers(letter)).toBe(204);
  expect(await counted('unhandled')).toBe(count + 1);
  expect(await notices()).toHaveLength(before.length);
});

it('a notice for a number that is not ours is answered with failure, and kept', async () => {
  const letter = platform.letter({ content: success({ out_trade_no: 'NOBODYS0001', amount: 1 }) });
  expect(await answers(letter)).toBe(500);
  const kept = await shop.api.system.db
    .selectFrom('notices')
    .select(['order_id', 'processed_at'])
    .where('out_trade_no', '=', 'NOBODYS0001')
    .execute();
  expect(kept).toEqual([{ order_id: null, processed_at: null }]);
});

it('what a browser brings back pays nothing: only verified notices and answers count (17)', async () => {
  const sale = await shop.sells({ return_url: 'https://shop.example.com/thanks' });
  const payment = await sale.opens();
  const forged = `?result=success&trade_state=SUCCESS&out_trade_no=${payment.out_trade_no}&amount=3000`;
  const key = sale.customer();
  for (const path of ['', `/payments/${payment.id}`])
    expect((await sale.call('GET', path + forged, undefined, { key })).body).not.toMatchObject({ status: 'paid' });
  const wishes = [
    ['/payments', { method: 'wechatpay.native', status: 'succeeded' }],
    ['/confirm', { paid: true }],
    [`/payments/${payment.id}/resolve`, { decision: 'accept', note: 'I paid' }],
  ] as const;
  for (const [path, body] of wishes)
    expect((await sale.call('POST', path, body, { key })).status).toBeGreaterThanOrEqual(400);
  expect((await sale.read()).status).toBe('pending_payment');
  await sale.buyer(payment, 'pay');
  await sale.isPaid();
});
