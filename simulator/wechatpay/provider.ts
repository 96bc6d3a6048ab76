import { Hono } from 'hono';
import { Links } from '../links.ts';
import { buyerPage } from '../pages.ts';
import type { BuyerWish, Desk, Env, SimulatedProvider } from '../provider.ts';
import type { Payment } from '../records.ts';
import { certificateControl, publicCertificates } from './certificates.ts';
import { platformKeys } from './keys.ts';
import type { WechatpayMerchant } from './merchant.ts';
import { knownMerchants } from './merchant.ts';
import { NOTICE_PAUSES_SECONDS, NOTICE_TIMEOUT_MS, noticeHeaders, paymentNotice } from './notices.ts';
import type { Platform } from './platform.ts';
import { settleRefund } from './refunds.ts';
import { wechatpayRoutes } from './routes.ts';
import { codeOf, linkTo, paid } from './transactions.ts';

/** What a merchant gets from the platform, all of it public. */
export type WechatpayPublicMaterial = {
  platformPublicKeyId: string;
  platformPublicKeyPem: string;
  /** Those that are valid now, the one that signs first. */
  readonly platformCertificates: readonly { serialNo: string; pem: string }[];
};

export type WechatpayOptions = {
  merchants: readonly WechatpayMerchant[];
  dataDir: string | null;
  mayNotifyLocalHttp: boolean;
};

/** WeChat Pay API v3: payments by code, in WeChat and from the phone's browser; refunds; certificates. */
export async function simulateWechatpay(
  desk: Desk,
  { merchants, dataDir, mayNotifyLocalHttp }: WechatpayOptions,
): Promise<SimulatedProvider & { publicMaterial: WechatpayPublicMaterial }> {
  const keys = await platformKeys(dataDir, desk.now());
  const bills: Platform['bills'] = new Links(desk.now, 30_000);
  const platform: Platform = { desk, keys, merchants: knownMerchants(merchants), bills, mayNotifyLocalHttp };
  return {
    name: 'wechatpay',
    routes: wechatpayRoutes(platform),
    pages: pages(platform),
    controls: certificateControl(platform),
    noticePausesSeconds: NOTICE_PAUSES_SECONDS,
    noticeTimeoutMs: NOTICE_TIMEOUT_MS,
    noticeHeaders: (notice) => noticeHeaders(platform, notice),
    accepts: (status) => status === 200 || status === 204, // The body is ignored.
    linkTo: (payment) => linkTo(platform, codeOf(payment)),
    buyer: (payment, wish) => buyer(platform, payment, wish),
    settle: (refund) => settleRefund(platform, refund),
    publicMaterial: {
      platformPublicKeyId: keys.publicKeySigner.serial,
      platformPublicKeyPem: keys.publicKeyPem,
      get platformCertificates() {
        return publicCertificates(keys);
      },
    },
  };
}

/** A native payment can't fail for good: the buyer who fails or walks away leaves it as it was, and nobody is told. */
function buyer(platform: Platform, payment: Payment, { action, amount }: BuyerWish): void {
  const { desk } = platform;
  switch (action) {
    case 'pay': {
      const done = paid(payment, amount ?? payment.amount, desk.now());
      return desk.announce({ payment: done }, paymentNotice(platform, done));
    }
    case 'start':
      return desk.books.write({ payment: { ...payment, status: 'paying' } });
    case 'fail':
    case 'cancel':
      return desk.books.write({ payment: { ...payment, status: 'pending' } });
  }
}

function pages(platform: Platform): Hono<Env> {
  return new Hono<Env>().get('/wechatpay/pay', (c) => {
    const payment = platform.desk.books.paymentByAlias('wechatpay', c.req.query('pr') ?? '');
    return buyerPage(c, platform.desk, payment, c.req.query('redirect_url'));
  });
}
