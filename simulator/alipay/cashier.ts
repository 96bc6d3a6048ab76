import type { Context } from 'hono';
import { Hono } from 'hono';
import { buyerPage } from '../pages.ts';
import type { Env } from '../provider.ts';
import type { Payment } from '../records.ts';
import type { Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import { noticeText, rsaSign } from './signature.ts';
import { beijingTime } from './time.ts';
import { withTrade } from './trades.ts';
import { yuan } from './views.ts';

/** What the buyer opens: the QR code's page, whose opening is the scan, and the cashier of a shop's website. */
export function cashierPages(platform: Platform): Hono<Env> {
  const { books } = platform.desk;
  const found = (c: Context<Env>) => books.paymentByAlias('alipay', c.req.param('code') ?? '');
  return new Hono<Env>()
    .get('/alipay/scan/:code', (c) => {
      const payment = found(c);
      if (payment) books.write({ payment: withTrade(payment, platform.desk.now()) });
      return buyerPage(c, platform.desk, payment);
    })
    .get('/alipay/cashier/:code', (c) => {
      const payment = found(c);
      const isLedBack = payment && paymentDetails(payment).returnUrl !== null;
      const back = isLedBack ? `${platform.desk.origin()}/alipay/return/${c.req.param('code')}` : undefined;
      return buyerPage(c, platform.desk, payment, back);
    })
    .get('/alipay/return/:code', async (c) => {
      const payment = found(c);
      const returnUrl = payment ? wayBack(platform, payment) : null;
      return returnUrl === null ? buyerPage(c, platform.desk, undefined) : c.redirect(returnUrl, 302);
    });
}

/** Back to the shop; once it is paid with signed parameters, which prove nothing but where they come from (providers.md 1.5). */
function wayBack({ desk, keys }: Platform, payment: Payment): string | null {
  const { returnUrl, product, sellerId } = paymentDetails(payment);
  if (returnUrl === null || payment.status !== 'paid') return returnUrl;
  const params = {
    charset: 'utf-8',
    out_trade_no: payment.outTradeNo,
    method: `alipay.trade.${product}.pay.return`,
    total_amount: yuan(payment.paidAmount ?? payment.amount),
    trade_no: payment.tradeNo ?? '',
    auth_app_id: payment.merchant,
    version: '1.0',
    app_id: payment.merchant,
    sign_type: 'RSA2',
    seller_id: sellerId,
    timestamp: beijingTime(desk.now()),
  };
  const url = new URL(returnUrl);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  url.searchParams.set('sign', rsaSign(noticeText(params), keys.privateKey));
  return url.href;
}
