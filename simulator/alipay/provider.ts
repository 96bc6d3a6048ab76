import { Links } from '../links.ts';
import type { BuyerWish, Desk, SimulatedProvider } from '../provider.ts';
import type { Payment } from '../records.ts';
import { cashierPages } from './cashier.ts';
import { gatewayRoutes } from './gateway.ts';
import { platformKeys } from './keys.ts';
import type { AlipayMerchant } from './merchant.ts';
import { knownMerchants } from './merchant.ts';
import { NOTICE_PAUSES_SECONDS, NOTICE_TIMEOUT_MS, noticeForm, paymentNotice } from './notices.ts';
import { linkTo } from './opening.ts';
import type { Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import { settleRefund } from './refunds.ts';
import { paid, withTrade } from './trades.ts';

/** What a merchant gets from Alipay, all of it public. */
export type AlipayPublicMaterial = {
  publicKeyPem: string;
  /** For certificate mode. It is its own root. */
  certificatePem: string;
};

export type AlipayOptions = {
  merchants: readonly AlipayMerchant[];
  dataDir: string | null;
  mayNotifyLocalHttp: boolean;
};

/** Alipay's v2 gateway: payments on pages, by QR code and by the buyer's bar code; refunds. */
export async function simulateAlipay(
  desk: Desk,
  { merchants, dataDir, mayNotifyLocalHttp }: AlipayOptions,
): Promise<SimulatedProvider & { publicMaterial: AlipayPublicMaterial }> {
  const keys = await platformKeys(dataDir, desk.now());
  const bills = new Links<Uint8Array>(desk.now, 30_000);
  const platform: Platform = { desk, keys, merchants: knownMerchants(merchants), bills, mayNotifyLocalHttp };
  return {
    name: 'alipay',
    routes: gatewayRoutes(platform),
    pages: cashierPages(platform),
    noticePausesSeconds: NOTICE_PAUSES_SECONDS,
    noticeTimeoutMs: NOTICE_TIMEOUT_MS,
    noticeHeaders: () => ({ 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }),
    noticeBody: (notice) => noticeForm(platform, notice),
    accepts: (status, body) => status === 200 && body === 'success',
    linkTo: (payment) => linkTo(platform, payment),
    buyer: (payment, wish) => buyer(platform, payment, wish),
    settle: (refund) => settleRefund(platform, refund),
    publicMaterial: { publicKeyPem: keys.publicKeyPem, certificatePem: keys.certificatePem },
  };
}

/**
 * Whatever the buyer does, the trade is known from then on. Who fails or walks away may try again, and nobody is told;
 * a bar code is good for one try.
 */
function buyer(platform: Platform, payment: Payment, { action, amount }: BuyerWish): void {
  const { desk } = platform;
  const known = withTrade(payment, desk.now());
  const isSingleTry = paymentDetails(payment).product === 'barcode';
  switch (action) {
    case 'pay': {
      const done = paid(known, desk.now(), amount);
      return desk.announce({ payment: done }, paymentNotice(platform, done));
    }
    case 'start':
      return desk.books.write({ payment: { ...known, status: 'paying' } });
    case 'fail':
    case 'cancel':
      return desk.books.write({ payment: { ...known, status: isSingleTry ? 'closed' : 'pending' } });
  }
}
