/** The payment providers we speak to. */
export const PROVIDERS = ['alipay', 'wechatpay', 'unionpay', 'stripe', 'paypal'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Every payment method of the contract, and the provider that carries it. */
export const METHODS = {
  'wechatpay.native': { provider: 'wechatpay' },
} as const satisfies Record<string, { provider: ProviderName }>;
export type PaymentMethod = keyof typeof METHODS;

export const providerOf = (method: PaymentMethod): ProviderName => METHODS[method].provider;
