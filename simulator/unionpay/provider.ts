import type { Desk, SimulatedProvider } from '../provider.ts';
import { platformKeys } from './keys.ts';
import type { UnionpayMerchant } from './merchant.ts';
import { knownMerchants } from './merchant.ts';
import { NOTICE_PAUSES_SECONDS, NOTICE_TIMEOUT_MS, noticeBody } from './notices.ts';
import { buyer, linkTo } from './payments.ts';
import type { Platform } from './platform.ts';
import { settleRefund } from './refunds.ts';
import { unionpayPages, unionpayRoutes } from './routes.ts';

/** What a merchant gets from the platform, all of it public: who vouches for its messages. */
export type UnionpayPublicMaterial = { rootCertificatePem: string; middleCertificatePem: string };

export type UnionpayOptions = {
  merchants: readonly UnionpayMerchant[];
  dataDir: string | null;
  mayNotifyLocalHttp: boolean;
};

/** UnionPay ACP 5.1.0: the gateway for browsers of computers and phones, codes to scan, refunds. */
export async function simulateUnionpay(
  desk: Desk,
  { merchants, dataDir, mayNotifyLocalHttp }: UnionpayOptions,
): Promise<SimulatedProvider & { publicMaterial: UnionpayPublicMaterial }> {
  const { rootPem, middlePem, signer } = await platformKeys(dataDir, desk.now());
  const platform: Platform = { desk, signer, merchants: knownMerchants(merchants), mayNotifyLocalHttp };
  return {
    name: 'unionpay',
    routes: unionpayRoutes(platform),
    pages: unionpayPages(platform),
    noticePausesSeconds: NOTICE_PAUSES_SECONDS,
    noticeTimeoutMs: NOTICE_TIMEOUT_MS,
    noticeHeaders: () => ({ 'Content-Type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
    noticeBody: (notice) => noticeBody(platform, notice),
    accepts: (status) => status === 200 || status === 302,
    linkTo: (payment) => linkTo(platform, payment),
    buyer: (payment, wish) => buyer(platform, payment, wish),
    settle: (refund) => settleRefund(platform, refund),
    publicMaterial: { rootCertificatePem: rootPem, middleCertificatePem: middlePem },
  };
}
