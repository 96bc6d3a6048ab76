/** The payment providers we speak to. */
export const PROVIDERS = ['alipay', 'wechatpay', 'unionpay', 'stripe', 'paypal'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** What a method wants to know of the buyer; personal, so it stands in no history and no log. */
export type Buyer = {
  /** Who pays, as the provider calls them (WeChat Pay: openid). */
  payer_id?: string;
  client_ip?: string;
  /** Where the browser goes afterwards. */
  return_url?: string;
};
export type BuyerField = keyof Buyer;

type MethodTerms = {
  provider: ProviderName;
  needs: readonly BuyerField[];
  /** Told where it is known. */
  takes: readonly BuyerField[];
  /** How long the provider lets a buyer begin to pay what was opened. */
  lastsMinutes: number;
};

/** Every payment method that we have, and what it takes (contract, POST …/payments; lives: WeChat Pay's documents). */
export const METHODS = {
  'wechatpay.native': { provider: 'wechatpay', needs: [], takes: [], lastsMinutes: 120 },
  'wechatpay.jsapi': { provider: 'wechatpay', needs: ['payer_id'], takes: [], lastsMinutes: 120 },
  'wechatpay.mini': { provider: 'wechatpay', needs: ['payer_id'], takes: [], lastsMinutes: 120 },
  'wechatpay.h5': { provider: 'wechatpay', needs: ['client_ip'], takes: ['return_url'], lastsMinutes: 5 },
} as const satisfies Record<string, MethodTerms>;
export type PaymentMethod = keyof typeof METHODS;

export const methodTerms = (method: PaymentMethod): MethodTerms => METHODS[method];
export const providerOf = (method: PaymentMethod): ProviderName => METHODS[method].provider;
