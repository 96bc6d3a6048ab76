import type { Context } from 'hono';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { BuyerAction, buyerDoes } from './buyer.ts';
import type { Providers } from './control.ts';
import type { Markup } from './layout.ts';
import { page, readableAmount, STATUS_WORDS } from './layout.ts';
import type { Desk, Env } from './provider.ts';
import type { Payment } from './records.ts';
import { statusAt } from './records.ts';

const MOST_RECENT = 50;

/** Pages for people: the overview, and what a buyer sees of any payment. */
export function pageRoutes(desk: Desk, providers: Providers): Hono<Env> {
  return new Hono<Env>()
    .get('/', (c) => overviewPage(c, desk))
    .get('/_buyer/:out_trade_no', (c) => buyerPage(c, desk, chosen(c, desk), c.req.query('back')))
    .post('/_buyer/:out_trade_no', async (c) => {
      const payment = chosen(c, desk);
      const wish = BuyerAction.safeParse((await c.req.parseBody())['action']);
      if (!payment || !wish.success) return buyerPage(c, desk, undefined);
      buyerDoes(desk, providers[payment.provider], payment, { action: wish.data });
      return c.redirect(buyerPath(payment, c.req.query('back')), 303); // The page then shows what became of it, and reloads safely.
    });
}

/** Where a person opens any payment. */
export function buyerPath({ outTradeNo, provider, merchant }: Payment, back?: string): string {
  const query = new URLSearchParams({ provider, merchant, ...(back !== undefined && { back }) });
  return `/_buyer/${encodeURIComponent(outTradeNo)}?${query.toString()}`;
}

/** The page behind a QR code or a link; 404 where no payment belongs to it. It leads back to `returnUrl`, if there is one. */
export function buyerPage(
  c: Context<Env>,
  desk: Desk,
  payment: Payment | undefined,
  returnUrl?: string,
): Promise<Response> {
  if (!payment) return page(c, '找不到订单', html`<main><h1>找不到订单 · No such payment</h1></main>`, 404);
  const status = statusAt(payment, desk.now());
  const isOpen = status === 'pending' || status === 'paying';
  const { paidAmount, amount, currency } = payment;
  const content = html`<main>
    <h1>模拟支付 · <span lang="en">Simulated payment</span></h1>
    <p class="amount">${readableAmount(paidAmount ?? amount, currency)}</p>
    <dl>
      <dt>商品</dt>
      <dd>${payment.description}</dd>
      <dt>状态</dt>
      <dd>${STATUS_WORDS[status]}</dd>
      <dt>订单号</dt>
      <dd>${payment.outTradeNo}</dd>
      <dt>商户号</dt>
      <dd>${payment.provider} ${payment.merchant}</dd>
    </dl>
    ${isOpen ? buttons(payment, returnUrl) : ''} ${isOpen ? '' : wayBack(returnUrl)}
  </main>`;
  return page(c, '模拟支付', content);
}

/** The number alone is enough while only one merchant of one provider knows it. */
function chosen(c: Context<Env>, { books }: Desk): Payment | undefined {
  const { provider, merchant } = c.req.query();
  const known = books.paymentsNumbered(c.req.param('out_trade_no') ?? '');
  return known.find(
    (each) => (provider ?? each.provider) === each.provider && (merchant ?? each.merchant) === each.merchant,
  );
}

function buttons(payment: Payment, returnUrl: string | undefined): Markup {
  return html`<form method="post" action="${buyerPath(payment, returnUrl)}">
    <button class="first" name="action" value="pay">支付 Pay</button>
    <button name="action" value="fail">失败 Fail</button>
    <button name="action" value="cancel">取消 Cancel</button>
  </form>`;
}

function wayBack(returnUrl: string | undefined): Markup | string {
  if (returnUrl === undefined || !/^https?:\/\//.test(returnUrl)) return '';
  return html`<p><a href="${returnUrl}">返回商家 · Back to the merchant</a></p>`;
}

function overviewPage(c: Context<Env>, desk: Desk): Promise<Response> {
  const recent = desk.books.payments().slice(-MOST_RECENT).toReversed();
  const faults = desk.faults.all();
  const content = html`<main class="wide">
    <h1>支付渠道模拟器 · <span lang="en">Provider simulator</span></h1>
    <p lang="en">
      No money moves here. <a href="/_control/ledger">Ledger</a> · <a href="/_control/payments">Payments as JSON</a>
    </p>
    <h2 lang="en">Faults in force</h2>
    <pre>${Object.keys(faults).length > 0 ? JSON.stringify(faults, null, 2) : 'none'}</pre>
    <h2 lang="en">Recent payments</h2>
    ${recent.length > 0 ? paymentTable(recent, desk.now()) : html`<p lang="en">None yet.</p>`}
  </main>`;
  return page(c, '支付渠道模拟器', content);
}

function paymentTable(payments: readonly Payment[], now: number): Markup {
  const rows = payments.map(
    (payment) =>
      html`<tr>
        <td><a href="${buyerPath(payment)}">${payment.outTradeNo}</a></td>
        <td>${payment.provider}</td>
        <td>${readableAmount(payment.paidAmount ?? payment.amount, payment.currency)}</td>
        <td>${STATUS_WORDS[statusAt(payment, now)]}</td>
        <td>${payment.order ?? '–'}</td>
        <td>${new Date(payment.createdAt).toISOString()}</td>
      </tr>`,
  );
  return html`<table lang="en">
    <tr>
      <th>Number</th>
      <th>Provider</th>
      <th>Amount</th>
      <th>State</th>
      <th>Order</th>
      <th>Opened</th>
    </tr>
    ${rows}
  </table>`;
}
