/** What operators do at the console, in a real browser. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keepFindings } from '../../db/findings.ts';
import { putKey } from '../../db/merchants.ts';
import type { Scope } from '../../db/schema.ts';
import { OPERATOR_KEY, OTHER_KEY } from '../api/support.ts';
import { control, until } from '../support/orders.ts';
import { startReceiver } from '../notifications/receiver.ts';
import { applyOn, DESKTOP, payOn, press, startPages, unfold, type TestPages } from './support.ts';

let pages: TestPages;
beforeAll(async () => {
  pages = await startPages();
});
afterAll(() => pages?.stop());
afterEach(() => pages.everybodyLeaves());

const open = (page: Page, path: string) => page.goto(`${pages.api.url}/console${path}`);
const title = (page: Page) => page.locator('h1').innerText();

async function paid(more: Record<string, unknown> = {}) {
  const order = await pages.create(more);
  const page = await pages.visit(order.checkout_url);
  await payOn(pages, page);
  return { order, page };
}
async function applied(reason: string) {
  const { order, page } = await paid();
  await applyOn(page, reason);
  return order;
}
/** An order that the buyer paid another amount for than its 30.00. */
async function paidWrongly(amount: number) {
  const order = await pages.create();
  await pages.api.call(`POST /v1/orders/${order.id}/payments`, { method: 'wechatpay.native' });
  const [payment] = (await pages.read(order.id)).payments;
  await control(pages.api.system, payment.out_trade_no, { action: 'pay', amount });
  await seen(order.id, ({ attention }) => attention.length > 0);
  return order;
}
const seen = (id: string, isSo: (order: any) => boolean) => until(() => pages.read(id), isSo, 30_000);

describe('whoever signs in', () => {
  it('needs an operator’s key, and is nobody any more once signed out', async () => {
    const page = await pages.visit(`${pages.api.url}/console/orders`, DESKTOP);
    for (const wrong of ['op_of_nobody', 'sk_test_demo']) {
      await page.getByLabel('Operator key').fill(wrong);
      await press(page, 'Sign in');
      await page.getByRole('alert').getByText('no valid operator key').waitFor();
    }
    await page.getByLabel('Operator key').fill(OPERATOR_KEY);
    await press(page, 'Sign in');
    await page.getByRole('heading', { name: 'Orders' }).waitFor();
    expect(await page.locator('footer').innerText()).toContain('Europe/Berlin');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/console' });
    expect(await page.content()).not.toContain(OPERATOR_KEY);

    await press(page, 'Sign out');
    await page.getByLabel('Operator key').waitFor();
    // Whoever kept a copy of the cookie has nothing.
    await page.context().addCookies([cookie!]);
    await open(page, '/orders');
    await page.getByLabel('Operator key').waitFor();
  });

  it('can not go on guessing', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 11; n++) {
      const answer = await fetch(`${pages.api.url}/console/sign-in`, {
        method: 'POST',
        body: new URLSearchParams({ key: `guess-${n}` }),
        headers: { origin: pages.api.url, 'x-forwarded-for': '203.0.113.9' },
      });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
  });

  it('is asked for nothing by another site', async () => {
    const order = await applied('by another site');
    const [refund] = (await pages.read(order.id)).refunds;
    const page = await pages.signIn();
    const [cookie] = await page.context().cookies();
    const answer = await fetch(`${pages.api.url}/console/orders/${order.id}/refunds/${refund.id}/approve`, {
      method: 'POST',
      body: new URLSearchParams({ note: '' }),
      headers: { origin: 'https://elsewhere.example', cookie: `${cookie!.name}=${cookie!.value}` },
    });
    expect(answer.status).toBe(403);
    expect((await pages.read(order.id)).refunds[0].status).toBe('requested');
  });

  it('sees and can do what the key may, and no more', async () => {
    const order = await applied('who may decide');
    const [refund] = (await pages.read(order.id)).refunds;
    const page = await pages.signIn(await addOperator('op_reads', ['orders:read']));
    await open(page, `/orders/${order.id}`);
    expect(await title(page)).toBe(`Order ${order.merchant_order_no}`);
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
    await open(page, '/refunds');
    await page.getByText('who may decide').waitFor();
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
    // And asked for all the same, it is refused with the reason.
    const answer = await page.request.post(`${pages.api.url}/console/orders/${order.id}/refunds/${refund.id}/approve`, {
      form: { note: '' },
      headers: { origin: pages.api.url },
    });
    expect([answer.status(), await answer.text()]).toEqual([403, expect.stringContaining('refunds:review')]);
    expect((await pages.read(order.id)).refunds[0].status).toBe('requested');
  });

  it('finds no order of another merchant', async () => {
    const { id, merchant_order_no } = (
      await pages.api.call('POST /v1/orders', { ...TEA, merchant_order_no: 'theirs-1' }, { key: OTHER_KEY })
    ).body;
    const page = await pages.signIn();
    const answer = await open(page, `/orders/${id}`);
    expect(answer?.status()).toBe(404);
    await page.getByText('There is no such page or order').waitFor();
    for (const number of [id, merchant_order_no]) {
      await open(page, '/orders');
      await page.getByLabel('Number').fill(number);
      await press(page, 'Search');
      await page.getByText('No order was found').waitFor();
    }
  });
});

const TEA = { currency: 'CNY', items: [{ name: 'Tea', quantity: 1, unit_amount: 100, fulfilment: 'shipment' }] };
const addOperator = async (key: string, scopes: Scope[]): Promise<string> => {
  await putKey(pages.api.system.db, { id: `key_${key}`, merchant: 'demo', key, kind: 'operator', name: key, scopes });
  return key;
};

describe('the refund queue', () => {
  it('rejects with a note only, and the customer reads it', async () => {
    const order = await applied('I want it back');
    const page = await pages.signIn();
    await open(page, '/refunds');
    const row = page.getByRole('listitem').filter({ hasText: order.merchant_order_no });
    await row.getByRole('button', { name: 'Reject' }).click();
    expect((await pages.read(order.id)).refunds[0].status).toBe('requested');
    await row.getByRole('textbox').fill('It was used');
    await row.getByRole('button', { name: 'Reject' }).click();
    await page.getByRole('status').getByText('Rejected').waitFor();
    await seen(order.id, ({ refunds: [refund] }) => refund.status === 'rejected' && refund.note === 'It was used');
    expect(await page.getByText(order.merchant_order_no).count()).toBe(0);
  });

  it('is worked through by keyboard alone', async () => {
    const [one, two] = [await applied('first'), await applied('second')];
    const page = await pages.signIn();
    await open(page, '/refunds');
    const rows = page.locator('[data-row]');
    const at = async (order: { merchant_order_no: string }) =>
      (await rows.allInnerTexts()).findIndex((text) => text.includes(order.merchant_order_no));

    /** From the first row, where the focus is to begin with; one too far, and back again. */
    const go = async (row: number) => {
      for (let n = 0; n <= row; n++) await page.keyboard.press('j');
      if (row + 1 < (await rows.count())) await page.keyboard.press('k');
    };
    await go(await at(two));
    await page.keyboard.press('r');
    await page.keyboard.type('jak, no');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Rejected').waitFor();
    await seen(two.id, ({ refunds }) => refunds[0].status === 'rejected' && refunds[0].note === 'jak, no');
    await go(await at(one));
    await page.keyboard.press('a');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Approved').waitFor();
    await seen(one.id, ({ refund_status }) => refund_status === 'full');
  });
});

describe('an operator', () => {
  it('finds orders by number, status, customer and day', async () => {
    const [mine, other] = [await pages.create({ customer: { id: 'c-77' } }), await pages.create()];
    const page = await pages.signIn();
    const found = async (field: string, value: string) => {
      await open(page, '/orders');
      const input = page.locator(`[name=${field}]`);
      await (field === 'status' ? input.selectOption(value) : input.fill(value));
      await press(page, 'Search');
      await page.getByRole('search').waitFor();
      const text = await page.locator('main').innerText();
      return [text.includes(mine.merchant_order_no), text.includes(other.merchant_order_no)];
    };
    expect(await found('number', mine.merchant_order_no)).toEqual([true, false]);
    expect(await found('number', String(mine.number))).toEqual([true, false]);
    expect(await found('number', mine.id)).toEqual([true, false]);
    expect(await found('customer', 'c-77')).toEqual([true, false]);
    expect(page.url()).not.toContain('c-77');
    expect(await found('status', 'pending_payment')).toEqual([true, true]);
    expect(await found('status', 'completed')).toEqual([false, false]);
    expect(await found('from', '2020-01-01')).toEqual([true, true]);
    expect(await found('to', '2020-01-01')).toEqual([false, false]);
  });

  it('reads an order in one view, with the link to its run', async () => {
    const { order } = await paid();
    const page = await pages.signIn();
    await open(page, `/orders/${order.id}`);
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/Green tea × 2[^]*WeChat Pay, by QR code[^]*Order created[^]*Payment opened[^]*Order paid/);
    const { workflow } = (await pages.api.call(`GET /v1/orders/${order.id}`, undefined, { key: OPERATOR_KEY })).body;
    const link = page.getByRole('link', { name: 'Its run in the Temporal UI' });
    expect([await link.getAttribute('href'), workflow.id]).toEqual([workflow.url, `order/${order.id}`]);
  });

  it('reports a delivery', async () => {
    const { order } = await paid();
    const page = await pages.signIn();
    await open(page, `/orders/${order.id}`);
    await unfold(page, 'Report');
    await page.getByLabel('Carrier').fill('SF');
    await page.getByRole('textbox', { name: 'Number' }).fill('SF1234');
    await press(page, 'Report');
    await page.getByRole('status').getByText('Reported').waitFor();
    await page.getByText('SF, SF1234').first().waitFor();
    expect((await pages.read(order.id)).items[0].delivery).toMatchObject({
      status: 'delivering',
      tracking: { carrier: 'SF', number: 'SF1234' },
    });
  });

  it('is told what needs attention and what to do, and settles money of a wrong amount', async () => {
    const [less, more] = [await paidWrongly(2900), await paidWrongly(3100)];
    const page = await pages.signIn();
    await page.getByRole('link', { name: '2 orders need attention' }).click();
    await page.getByText('payment_disputed').first().waitFor();
    await page.getByText('Money of a wrong amount or currency came. Resolve the payment').first().waitFor();
    await page.getByRole('link', { name: `Order ${less.merchant_order_no}` }).click();
    await page.getByText('What came: CN¥29.00').waitFor();
    expect(await page.getByRole('button', { name: 'Accept it' }).count()).toBe(0);
    await page.getByLabel('Note (needed)').fill('Too little');
    await press(page, 'Give it back');
    await page.getByRole('status').getByText('Resolved').waitFor();
    await open(page, `/orders/${more.id}`);
    await page.getByLabel('Note (needed)').fill('Close enough');
    await press(page, 'Accept it');
    await page.getByRole('status').getByText('Resolved').waitFor();
    await seen(more.id, ({ paid_at, attention }) => paid_at !== null && attention.length === 0);
    await seen(less.id, ({ attention }) => attention.length === 0);
    await open(page, '/attention');
    await page.getByText('No order needs attention').waitFor();
    expect(await page.getByText('Ledger and providers').count()).toBe(0);
    const finding = {
      kind: 'missing_here',
      type: 'capture',
      reference: '4200',
      outTradeNo: null,
      orderId: null,
    } as const;
    const found = { ...finding, day: '2026-03-01', ours: [], theirs: [{ amount: 1500, currency: 'CNY' }] };
    const account = { merchant: 'demo', provider: 'wechatpay' } as const;
    await pages.api.system.db
      .transaction()
      .execute((trx) => keepFindings(trx, account, { day: found.day, findings: [found] }, new Date()));
    await open(page, '/attention');
    await page.getByText('Missing here: the statement has it, our ledger has not (ours –, theirs CN¥15.00)').waitFor();
  });

  it('sees what the shop was told, and has sent again what did not arrive', async () => {
    const receiver = await startReceiver((response) => response.writeHead(410).end());
    await pages.api.call('POST /v1/webhook-endpoints', { url: `${receiver.url}/shop`, types: ['order.created'] });
    const { id } = await pages.create();
    await until(
      () => Promise.resolve(receiver.received.length),
      (count) => count === 1,
      30_000,
    );
    const page = await pages.signIn();
    const offered = async (name: string) => {
      await open(page, `/notifications?order=${id}`);
      return page.getByRole('button', { name, exact: true }).count();
    };
    await until(
      () => offered('Switch on'),
      (count) => count === 1,
      30_000,
    );
    await page.getByText('it answered that it is gone (410)').waitFor();
    receiver.respond = (response) => response.writeHead(204).end();
    await press(page, 'Switch on');
    await page.getByRole('status').getByText('Switched on').waitFor();
    await until(
      () => offered('Send again'),
      (count) => count === 1,
      30_000,
    );
    await page.getByText('2 attempts').click();
    await page.getByText('answered 410').waitFor();
    await press(page, 'Send again');
    await page.getByRole('status').getByText('It is sent again').waitFor();
    await until(
      () => Promise.resolve(receiver.received.map(({ headers }) => headers['webhook-id'])),
      (ids) => ids.length === 3 && new Set(ids).size === 1,
      30_000,
    );
    await receiver.stop();
  });

  it('reads the figures of the day as a chart', async () => {
    await paid();
    const page = await pages.signIn();
    const chart = page.locator('.chart').first();
    expect(await chart.innerText()).toMatch(/Orders\s+\d+\s+Paid\s+\d+\s+Refunded\s+\d+\s+Expired\s+\d+/);
    const widths = await chart.locator('rect').evaluateAll((bars) => bars.map((bar) => bar.getAttribute('width')));
    expect(widths[0]).toBe('100');
    expect(await page.locator('main').innerText()).toMatch(/WeChat Pay, by QR code\s+\d+ × · CN¥/);
    await page.getByRole('link', { name: 'Day before' }).click();
    await page.getByText('Nothing happened on this day').waitFor();
  });
});
