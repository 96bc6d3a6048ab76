/** What holds of every page: who may open it, what it loads, in which language and on which screen. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults } from '../support/browser.ts';
import { applyOn, DESKTOP, isWiderThanTheScreen, payOn, PHONE, startPages, told, type TestPages } from './support.ts';

let pages: TestPages;
beforeAll(async () => {
  pages = await startPages();
});
afterAll(() => pages?.stop());
afterEach(() => pages.everybodyLeaves());

describe('the checkout', () => {
  it('belongs to one order: the token of another, a wrong one and none lead nowhere', async () => {
    const [mine, other] = [await pages.create(), await pages.create()];
    const [address = '', token = ''] = mine.checkout_url.split('?token=');
    const theirs = other.checkout_url.split('?token=')[1];
    for (const wrong of [
      `?token=${theirs}`,
      `?token=${token.slice(0, -1)}`,
      '?token=a%20b',
      '?token=%00',
      '?token=%E7%A0%81',
      '',
    ])
      expect((await fetch(address + wrong)).status, wrong).toBe(404);
    const page = await pages.visit(`${address}?token=${theirs}`);
    await page.getByRole('heading', { name: 'There is no such order' }).waitFor();
    expect(await page.locator('body').innerText()).not.toContain('Green tea');
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('believes nothing that its address says', async () => {
    const { id, checkout_url } = await pages.create();
    const page = await pages.visit(
      `${checkout_url}&status=paid&trade_status=TRADE_SUCCESS&out_trade_no=1&paid=true#paid`,
    );
    await told(page, 'to_pay');
    expect((await pages.read(id)).status).toBe('pending_payment');
  });

  it('lets no other site ask for anything in the customer’s name', async () => {
    const { id, checkout_url } = await pages.create();
    const cancel = checkout_url.replace('?', '/cancel?');
    const body = new URLSearchParams({ reason: '' });
    const headers = { origin: 'https://elsewhere.example' };
    expect((await fetch(cancel, { method: 'POST', body, headers })).status).toBe(403);
    expect((await pages.read(id)).status).toBe('pending_payment');
  });
});

/** Every way in which each page can be looked at. */
const readers = [
  ['zh-CN', PHONE, 'zh-CN', '请付款', '待审核的退款'],
  ['zh-TW', DESKTOP, 'zh-CN', '请付款', '待审核的退款'],
  ['en-GB', PHONE, 'en', 'Please pay', 'Refunds to be decided'],
  ['fr-FR', DESKTOP, 'en', 'Please pay', 'Refunds to be decided'],
] as const;

describe.each(readers)('in %s', (locale, device, language, toPay, queue) => {
  const options = { ...device, locale };

  it('the checkout speaks so, fits the screen, and is accessible', async () => {
    const { checkout_url } = await pages.create({
      items: [
        { name: 'W'.repeat(120), quantity: 3, unit_amount: 9_999_999, fulfilment: 'shipment' },
        { name: '绿茶', quantity: 1, unit_amount: 1, fulfilment: 'digital' },
      ],
      delivery: { name: 'Li Lei', phone: '13800138000', address: `Long Road 1, ${'Hangzhou'.repeat(20)}` },
    });
    const page = await pages.visit(checkout_url, options);
    await page.getByRole('heading', { name: toPay }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe(language);
    expect(await isWiderThanTheScreen(page)).toBe(false);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('the console speaks so, fits the screen, and is accessible', async () => {
    const { id, checkout_url } = await pages.create({ merchant_order_no: `${locale}-${'9'.repeat(40)}` });
    const customer = await pages.visit(checkout_url);
    await payOn(pages, customer);
    await applyOn(customer, 'An application of some length, so that there is something to be read. '.repeat(5));
    const page = await pages.signIn(undefined, options);
    for (const path of ['', '/refunds', '/attention', '/orders', '/notifications', `/orders/${id}`]) {
      await page.goto(`${pages.api.url}/console${path}`);
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      expect([path, await isWiderThanTheScreen(page)]).toEqual([path, false]);
      expect([path, ...(await accessibilityFaults(page))]).toEqual([path]);
    }
    await page.goto(`${pages.api.url}/console/refunds`);
    await page.getByRole('heading', { name: queue }).waitFor();
  });
});

describe('every page', () => {
  const security = ['content-security-policy', 'referrer-policy', 'cache-control', 'x-content-type-options'] as const;

  it('allows nothing from elsewhere, runs no script of its text, and tells nobody where its reader was', async () => {
    const { checkout_url } = await pages.create({
      items: [{ name: '<script>alert(1)</script>', quantity: 1, unit_amount: 1, fulfilment: 'shipment' }],
    });
    const addresses = [checkout_url, `${checkout_url.split('?')[0]}?token=none`, `${pages.api.url}/console/sign-in`];
    for (const address of addresses) {
      const answer = await fetch(address);
      const [policy, referrer, cache, sniffing] = security.map((name) => answer.headers.get(name) ?? '');
      expect([address, referrer, cache, sniffing]).toEqual([address, 'no-referrer', 'no-store', 'nosniff']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|data:|\*/);
      expect(await answer.text()).not.toMatch(/\sstyle=|<style|<script(?! type="module" src="\/static\/)|\son\w+=/);
    }
    expect(await (await fetch(checkout_url)).text()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});
