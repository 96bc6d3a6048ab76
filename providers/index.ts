import { z } from 'zod';
import type { ProviderName } from '../domain/method.ts';
import { alipay } from './alipay.ts';
import { realEdge, type Edge } from './http.ts';
import { payPal } from './paypal.ts';
import type { PaymentProvider } from './provider.ts';
import { stripe } from './stripe.ts';
import { unionPay } from './unionpay.ts';
import { wechatPay } from './wechatpay.ts';

/** What a merchant's account at a provider looks like, its secrets filled in. */
const WechatPayConfig = z.strictObject({
  mchid: z.string(),
  appid: z.string(),
  miniAppid: z.string().optional(),
  serialNo: z.string(),
  privateKey: z.string(),
  apiV3Key: z.string(),
  platformKeys: z.record(z.string(), z.string()).optional(),
  baseUrl: z.url().default('https://api.mch.weixin.qq.com'),
});

const AlipayConfig = z.strictObject({
  appId: z.string(),
  sellerId: z.string(),
  privateKey: z.string(),
  alipayPublicKey: z.string().optional(),
  certificates: z.strictObject({ app: z.string(), alipay: z.string(), root: z.string() }).optional(),
  baseUrl: z.url().default('https://openapi.alipay.com/gateway.do'),
});

const UnionPayConfig = z.strictObject({
  merId: z.string().regex(/^\w{15}$/),
  certificate: z.string(),
  privateKey: z.string(),
  rootCertificate: z.string(),
  middleCertificate: z.string(),
  baseUrl: z.url().default('https://gateway.95516.com'),
});

const StripeConfig = z.strictObject({
  accountId: z.string(),
  secretKey: z.string(),
  webhookSecret: z.string(),
  webhookSecretBefore: z.string().optional(),
  baseUrl: z.url().default('https://api.stripe.com'),
});

const PayPalConfig = z.strictObject({
  clientId: z.string(),
  clientSecret: z.string(),
  merchantId: z.string(),
  webhookId: z.string(),
  trustedCertificates: z.string().optional(),
  baseUrl: z.url().default('https://api-m.paypal.com'),
});

type Create = (config: unknown, edgeOf: (baseUrl: string) => Edge) => PaymentProvider;

const adapter =
  <Account>(
    shape: z.ZodType<Account & { baseUrl: string }>,
    create: (account: Account, edge: Edge) => PaymentProvider,
  ): Create =>
  (config, edgeOf) => {
    const { baseUrl, ...account } = shape.parse(config);
    return create(account as Account, edgeOf(baseUrl));
  };

const ADAPTERS: Record<ProviderName, Create> = {
  alipay: adapter(AlipayConfig, alipay),
  wechatpay: adapter(WechatPayConfig, wechatPay),
  unionpay: adapter(UnionPayConfig, unionPay),
  stripe: adapter(StripeConfig, stripe),
  paypal: adapter(PayPalConfig, payPal),
};

/** The adapter for an account. @throws ZodError if the configuration does not fit the provider */
export function createProvider(
  name: ProviderName,
  config: unknown,
  edgeOf: (baseUrl: string) => Edge = realEdge,
): PaymentProvider {
  return ADAPTERS[name](config, edgeOf);
}
