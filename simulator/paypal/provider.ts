import type { Context } from 'hono';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { page, readableAmount } from '../layout.ts';
import { buyerPage } from '../pages.ts';
import type { Desk, Env, SimulatedProvider } from '../provider.ts';
import type { Payment } from '../records.ts';
import { webhookKey } from './keys.ts';
import type { PaypalMerchant } from './merchant.ts';
import { knownMerchants } from './merchant.ts';
import { buyer } from './orders.ts';
import type { Platform } from './platform.ts';
import { orderDetails } from './platform.ts';
import { settleRefund } from './refunds.ts';
import { paypalRoutes } from './routes.ts';
import { Tokens } from './tokens.ts';
import { approvalUrl } from './views.ts';
import { NOTICE_PAUSES_SECONDS, NOTICE_TIMEOUT_MS, noticeHeaders } from './webhooks.ts';

/** What a merchant may know of PayPal: the certificate of its events, which nobody else vouches for. */
export type PaypalPublicMaterial = { certificatePem: string };

export type PaypalOptions = { merchants: readonly PaypalMerchant[]; dataDir: string | null };

/** PayPal Orders v2: a payer approves, the merchant captures; refunds; signed events. */
export async function simulatePaypal(
  desk: Desk,
  { merchants, dataDir }: PaypalOptions,
): Promise<SimulatedProvider & { publicMaterial: PaypalPublicMaterial }> {
  const key = await webhookKey(dataDir, desk.now());
  const platform: Platform = { desk, key, merchants: knownMerchants(merchants), tokens: new Tokens(desk.now) };
  return {
    name: 'paypal',
    routes: paypalRoutes(platform),
    pages: new Hono<Env>().get('/checkoutnow', (c) => payerPage(platform, c)),
    noticePausesSeconds: NOTICE_PAUSES_SECONDS,
    noticeTimeoutMs: NOTICE_TIMEOUT_MS,
    noticeHeaders: (notice) => noticeHeaders(platform, notice),
    accepts: (status) => status >= 200 && status < 300,
    linkTo: (payment) => approvalUrl(platform, payment),
    buyer: (payment, wish) => buyer(platform, payment, wish),
    settle: (refund) => settleRefund(platform, refund),
    publicMaterial: { certificatePem: key.certificatePem },
  };
}

/** Until the payer said yes, as for every provider; from then on it leads back to the merchant. */
function payerPage({ desk }: Platform, c: Context<Env>): Promise<Response> {
  const payment = desk.books.paymentByAlias('paypal', c.req.query('token') ?? '');
  const details = payment && orderDetails(payment);
  if (!payment || !details?.approval || payment.status === 'paid')
    return buyerPage(c, desk, payment, details?.cancelUrl ?? undefined);
  const content = html`<main>
    <h1>已同意付款 · <span lang="en">Approved</span></h1>
    <p class="amount">${readableAmount(payment.amount, payment.currency)}</p>
    ${details.returnUrl === null ? '' : html`<p><a href="${backUrl(payment, details.returnUrl)}">返回商家 · Back to the merchant</a></p>`}
  </main>`;
  return page(c, '已同意付款', content);
}

function backUrl(payment: Payment, returnUrl: string): string {
  const url = new URL(returnUrl);
  url.searchParams.set('token', orderDetails(payment).orderId);
  url.searchParams.set('PayerID', 'SIMULATEDPAYR');
  return url.href;
}
