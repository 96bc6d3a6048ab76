/** What a customer does on the page of their order, in a real browser. */
import { toString as drawQr } from 'qrcode';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findProviderAccount, putKey, putMerchant, putProviderAccount } from '../../db/merchants.ts';
import { OPERATOR_KEY, tea } from '../api/support.ts';
import { accessibilityFaults } from '../support/browser.ts';
import { faults, noFaults, until } from '../support/orders.ts';
import { applyOn, DESKTOP, payOn, press, PHONE, scan, startPages, told, unfold, type TestPages } from './support.ts';

let pages: TestPages;
beforeAll(async () => {
  pages = await startPages();
});
afterAll(() => pages?.stop());
afterEach(() => pages.everybodyLeaves());

const items = [
  { name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' },
  { name: 'Pot', quantity: 1, unit_amount: 7000, fulfilment: 'shipment' },
];

const deliver = (id: string, item: string, status: string) =>
  pages.api.call(`POST /v1/orders/${id}/items/${item}/delivery`, { status });

async function decide(id: string, decision: 'approve' | 'reject'): Promise<void> {
  const { refunds } = await pages.read(id);
  const { id: refund } = refunds.find(({ status }: { status: string }) => status === 'requested');
  const path = `/v1/orders/${id}/refunds/${refund}/${decision}`;
  const answer = await pages.api.call(`POST ${path}`, { note: `${decision} it is` }, { key: OPERATOR_KEY });
  expect(answer.status).toBe(200);
}

type Account = Record<string, unknown>;
const accountOfDemo = async () => (await findProviderAccount(pages.api.system.db, 'demo', 'wechatpay')) as Account;

/** Its provider refuses every payment, as it was told of another app. @returns its key */
async function addUnluckyShop(): Promise<string> {
  const { db } = pages.api.system;
  const methods = [{ method: 'wechatpay.native' as const, currencies: ['CNY'] }];
  const settings = { four_eyes: true, on_delivery_failure: null, methods };
  await putMerchant(db, { id: 'unlucky', name: 'Unlucky Shop', settings });
  const key = { id: 'key_unlucky', merchant: 'unlucky', key: 'sk_unlucky', kind: 'api', name: 'Unlucky' } as const;
  await putKey(db, { ...key, scopes: ['orders:read', 'orders:write'] });
  await putProviderAccount(db, 'unlucky', 'wechatpay', { ...(await accountOfDemo()), appid: 'wx-of-another' });
  return key.key;
}
const mendUnluckyShop = async () =>
  putProviderAccount(pages.api.system.db, 'unlucky', 'wechatpay', await accountOfDemo());

describe('a customer', () => {
  it('pays by scanning, applies for a refund, and sees it arrive once an operator has approved it', async () => {
    const { id, merchant_order_no, checkout_url } = await pages.create({ items, discount: 500, delivery_fee: 800 });
    const page = await pages.visit(checkout_url, DESKTOP);
    expect(await page.locator('#items').innerText()).toMatch(
      /Green tea × 2[^]*30\.00[^]*-CN¥5\.00[^]*8\.00[^]*103\.00/,
    );
    await press(page, 'WeChat Pay, by QR code');
    await told(page, 'attempt');
    expect(await page.locator('time[data-countdown]').innerText()).toMatch(/^1[45]:\d\d$/);
    const [{ action }] = (await pages.read(id)).payments;
    const drawn = /<path[^>]*stroke[^>]* d="([^"]+)"/.exec(
      await drawQr(action.content, { type: 'svg', errorCorrectionLevel: 'M' }),
    )?.[1];
    expect(drawn).toBeTruthy();
    expect(await page.locator('.scan path').last().getAttribute('d')).toBe(drawn);
    await press(await scan(pages, page), '支付 Pay');
    await told(page, 'paid');

    await unfold(page, 'Apply for a refund');
    await page.getByLabel('Only some items').check();
    await page.getByLabel('How many of Green tea to refund').fill('1');
    await page.getByLabel('Why do you want your money back?').fill('One was open');
    await press(page, 'Send the application');
    await page.locator('[data-refund=requested]').waitFor();

    const operator = await pages.signIn();
    await operator.getByRole('link', { name: 'Refunds', exact: true }).click();
    const row = operator.getByRole('listitem').filter({ hasText: merchant_order_no });
    expect(await row.innerText()).toMatch(/15\.45[^]*Green tea × 1[^]*One was open/);
    await row.getByRole('button', { name: 'Approve' }).click();
    await operator.getByRole('status').getByText('Approved').waitFor();

    await page.locator('[data-refund=succeeded]').waitFor();
    expect(await page.locator('#refunds').innerText()).toMatch(/Decided by the shop[^]*Money on its way[^]*Refunded/);
    expect(await pages.read(id)).toMatchObject({
      refund_status: 'partial',
      refunds: [{ origin: 'customer', status: 'succeeded', reviewer: 'Demo Operator', items: [{ quantity: 1 }] }],
    });
  });

  it('is led to the provider’s page on a phone, and back to the order, paid', async () => {
    const { id, checkout_url } = await pages.create();
    const page = await pages.visit(checkout_url, PHONE);
    await press(page, 'WeChat Pay');
    await page.waitForURL(({ href }) => href.startsWith(pages.api.system.simulator.url));
    await press(page, '支付 Pay');
    await page.getByRole('link', { name: /Back to the merchant/ }).click();
    await page.waitForURL(({ href }) => href.startsWith(pages.api.url));
    await told(page, 'paid');
    expect((await pages.read(id)).payments).toMatchObject([{ method: 'wechatpay.h5', status: 'succeeded' }]);
  });

  it('whose payment failed tries again', async () => {
    const key = await addUnluckyShop();
    const { body } = await pages.api.call('POST /v1/orders', tea(), { key });
    const page = await pages.visit(body.checkout_url, DESKTOP);
    await press(page, 'WeChat Pay, by QR code');
    await told(page, 'payment_failed');
    await page.getByRole('alert').getByText('The payment provider refused').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await mendUnluckyShop();
    // Another account counts some seconds later; an order takes only so many attempts, so not all at once.
    await until(
      async () => {
        await page.waitForTimeout(1_500);
        await press(page, 'WeChat Pay, by QR code');
        return page.locator('.qr').count();
      },
      (codes) => codes === 1,
      30_000,
    );
    await press(await scan(pages, page), '支付 Pay');
    await told(page, 'paid');
    const { payments } = (await pages.api.call(`GET /v1/orders/${body.id}`, undefined, { key })).body;
    expect([payments[0].status, payments.at(-1).status]).toEqual(['failed', 'succeeded']);
  });

  it('sees the order expire while the page is open', async () => {
    const { checkout_url } = await pages.create({ expires_in: 10 });
    const page = await pages.visit(checkout_url, DESKTOP);
    await press(page, 'WeChat Pay, by QR code');
    await told(page, 'attempt');
    await told(page, 'expired');
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('confirms first where the shop wants it, and may cancel', async () => {
    const { id, checkout_url } = await pages.create({ confirm: false });
    const page = await pages.visit(checkout_url);
    await told(page, 'to_confirm');
    await press(page, 'Confirm the order');
    await told(page, 'to_pay');
    await unfold(page, 'Cancel the order');
    await press(page, 'Yes, cancel it');
    await told(page, 'cancelled');
    expect(await pages.read(id)).toMatchObject({ status: 'cancelled', cancel_reason: 'customer' });
  });

  it('gets the goods, says so, and reviews', async () => {
    const { id, checkout_url, items: ordered } = await pages.create({ items });
    const page = await pages.visit(checkout_url);
    await payOn(pages, page);
    for (const item of ordered) await deliver(id, item.id, 'delivered');
    await told(page, 'arrived');
    await press(page, 'I have received everything');
    await told(page, 'completed');
    await page.getByLabel('4 stars').check();
    await page.getByLabel('What would you like to say?').fill('<b>good</b>');
    await press(page, 'Send the review');
    await page.getByText('<b>good</b>').waitFor();
    expect((await pages.read(id)).review).toEqual({ rating: 4, comment: '<b>good</b>' });
  });

  it('keeps what was typed while the order moves on, and reads why the shop refused', async () => {
    const { id, checkout_url, items: ordered } = await pages.create({ items });
    const page = await pages.visit(checkout_url);
    await payOn(pages, page);
    await unfold(page, 'Apply for a refund');
    const reason = page.getByLabel('Why do you want your money back?');
    await reason.fill('half a sentence');
    await deliver(id, ordered[0].id, 'delivering');
    await page.locator('#items').getByText('On its way', { exact: true }).waitFor();
    expect(await reason.inputValue()).toBe('half a sentence');
    await press(page, 'Send the application');
    await page.locator('[data-refund=requested]').waitFor();
    await decide(id, 'reject');
    await page.locator('[data-refund=rejected]').waitFor();
    await page.getByText('reject it is').waitFor();
  });

  it('is told what is wrong with an application, and types nothing twice', async () => {
    const { checkout_url } = await pages.create({ items });
    const page = await pages.visit(checkout_url);
    await payOn(pages, page);
    await unfold(page, 'Apply for a refund');
    await page.getByLabel('Only some items').check();
    const reason = page.getByLabel('Why do you want your money back?');
    await reason.fill('one is broken');
    await press(page, 'Send the application');
    await page.getByRole('alert').getByText('Choose at least one item').waitFor();
    expect(await reason.inputValue()).toBe('one is broken');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('is told when a refund failed, and applies again', async () => {
    const { id, checkout_url } = await pages.create();
    const page = await pages.visit(checkout_url);
    await payOn(pages, page);
    await applyOn(page, 'broken');
    await faults(pages.api.system, { refund_fails: true });
    await decide(id, 'approve');
    await told(page, 'refund_failed');
    await noFaults(pages.api.system);
    expect(await accessibilityFaults(page)).toEqual([]);
    await applyOn(page, 'again');
    await decide(id, 'approve');
    await told(page, 'refunded');
    expect(await accessibilityFaults(page)).toEqual([]);
    expect((await pages.read(id)).refund_status).toBe('full');
  });

  it('pays without JavaScript: the page is loaded again instead', async () => {
    const { checkout_url } = await pages.create();
    const page = await pages.visit(checkout_url, { ...DESKTOP, javaScriptEnabled: false });
    await press(page, 'WeChat Pay, by QR code');
    await told(page, 'attempt');
    expect(await page.content()).toMatch(/<noscript>.*http-equiv="refresh" content="\d+"/);
    await press(await scan(pages, page), '支付 Pay');
    await until(
      async () => {
        await page.getByRole('link', { name: 'Refresh' }).click();
        return page.locator('[data-outcome=paid]').count();
      },
      (count) => count === 1,
      30_000,
    );
    await applyOn(page, 'without a script');
  });
});
