import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { OPERATOR_KEY, startApi, tea, type TestApi } from '../api/support.ts';
import { startBrowser } from '../support/browser.ts';

export const PHONE: BrowserContextOptions = {
  viewport: { width: 375, height: 740 },
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile',
};
export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

/** Whatever an order can be made with. */
type Wanted = Record<string, unknown>;

/** The whole system with a real browser; each visit is of somebody else, and in English unless told otherwise. */
export type TestPages = Awaited<ReturnType<typeof startPages>>;

export async function startPages() {
  const chrome = await startBrowser();
  const api = await startApi();
  const visits = visitsWith(chrome.browser, api);
  const { complaints, visit } = visits;
  return {
    api,
    visit,
    create: async (more: Wanted = {}) => (await api.call('POST /v1/orders', tea(more))).body,
    read: async (id: string) => (await api.call(`GET /v1/orders/${id}`)).body,
    /** Somebody at the console. */
    async signIn(key = OPERATOR_KEY, options: BrowserContextOptions = DESKTOP): Promise<Page> {
      const page = await visit(`${api.url}/console`, options);
      await page.locator('input[name=key]').fill(key);
      await page.locator('main button').click();
      await page.getByRole('navigation').waitFor();
      return page;
    },
    /** After each test: everybody leaves, and nobody's browser complained about anything. */
    async everybodyLeaves(): Promise<void> {
      await visits.leave();
      expect(complaints.splice(0)).toEqual([]);
    },
    async stop(): Promise<void> {
      await chrome.stop();
      await api.stop();
    },
  };
}

type Chrome = Awaited<ReturnType<typeof startBrowser>>['browser'];

function visitsWith(browser: Chrome, api: TestApi) {
  const open: Page[] = [];
  /** Scripts that failed, what the policy forbade, and requests to other hosts than ours and the provider's. */
  const complaints: string[] = [];
  const hosts = [api.url, api.system.simulator.url].map((url) => new URL(url).host);
  return {
    complaints,
    visit: async (url: string, options: BrowserContextOptions = PHONE): Promise<Page> => {
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(45_000);
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (line) => {
        if (line.type() === 'error' && /policy|refused/i.test(line.text())) complaints.push(line.text());
      });
      context.on('request', (request) => {
        const asked = new URL(request.url());
        if (asked.protocol !== 'data:' && !hosts.includes(asked.host)) complaints.push(`asked ${asked.href}`);
      });
      open.push(page);
      await page.goto(url);
      return page;
    },
    leave: () => Promise.all(open.splice(0).map((page) => page.context().close())),
  };
}

/** Waits until the page says so by itself: nothing is clicked or loaded again. */
export const told = (page: Page, outcome: string) => page.locator(`[data-outcome=${outcome}]`).waitFor();
export const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).click();
export const unfold = (page: Page, name: string) => page.locator('summary').getByText(name, { exact: true }).click();

export const isWiderThanTheScreen = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** Somebody's second page: what they see who scan the code with their phone. */
export async function scan({ visit }: TestPages, page: Page): Promise<Page> {
  const address = await page.getByRole('link', { name: 'Open the address of this code' }).getAttribute('href');
  return visit(address ?? '');
}

export async function payOn(pages: TestPages, page: Page): Promise<void> {
  const code = page.getByRole('button', { name: 'WeChat Pay, by QR code' });
  if (!(await code.isVisible())) await unfold(page, 'Pay with another device');
  await code.click();
  await told(page, 'attempt');
  await press(await scan(pages, page), '支付 Pay');
  await told(page, 'paid');
}

export async function applyOn(page: Page, reason: string): Promise<void> {
  await unfold(page, 'Apply for a refund');
  await page.getByLabel('Why do you want your money back?').fill(reason);
  await press(page, 'Send the application');
  await page.locator('[data-refund=requested]').waitFor();
}
