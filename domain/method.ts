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
  /** The bar code that the buyer shows. */
  auth_code?: string;
};
export type BuyerField = keyof Buyer;

/**
 * What closing comes to at the provider (providers.md 0.2, 1.5, 3.4, 5.2). at_once: nobody can pay any more. once_known:
 * so too, but the provider knows nothing to close before the buyer has come to it. revoke: so too, and money that came
 * meanwhile goes back at once. never: there is no close.
 */
type Closing = 'at_once' | 'once_known' | 'revoke' | 'never';

export type MethodTerms = {
  provider: ProviderName;
  needs: readonly BuyerField[];
  /** Told where it is known. */
  takes: readonly BuyerField[];
  /** How long the provider lets a buyer begin to pay what was opened. */
  lastsMinutes: number;
  /** What the provider settles in; null: its account decides. */
  currencies: readonly string[] | null;
  /** The most that it takes, in minor units, where that is less than an order may come to. */
  mostAmount?: number;
  closing: Closing;
};

const CNY = ['CNY'] as const;
/** PayPal's own list ("Currency codes" in its developer documentation); it holds no Chinese yuan for accounts elsewhere. */
const PAYPAL_CURRENCIES =
  'AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD'.split(' ');
const DAY = 24 * 60;

/** Asks for nothing and takes nothing. */
const PLAIN = { needs: [], takes: [] } as const;
const ALIPAY = {
  ...PLAIN,
  provider: 'alipay',
  currencies: CNY,
  mostAmount: 10_000_000_000,
  closing: 'once_known',
} as const;
const WECHATPAY = { ...PLAIN, provider: 'wechatpay', lastsMinutes: 120, currencies: CNY, closing: 'at_once' } as const;
const UNIONPAY = { ...PLAIN, provider: 'unionpay', lastsMinutes: DAY, currencies: CNY, closing: 'never' } as const;

/** Every payment method that we have, and what it takes (contract, POST …/payments; lives: the providers' documents). */
export const METHODS = {
  'alipay.page': { ...ALIPAY, takes: ['return_url'], lastsMinutes: 15 * DAY },
  'alipay.wap': { ...ALIPAY, takes: ['return_url'], lastsMinutes: 15 * DAY },
  'alipay.qr': { ...ALIPAY, lastsMinutes: 120 },
  'alipay.barcode': { ...ALIPAY, needs: ['auth_code'], lastsMinutes: 5, closing: 'revoke' },
  'wechatpay.native': WECHATPAY,
  'wechatpay.jsapi': { ...WECHATPAY, needs: ['payer_id'] },
  'wechatpay.mini': { ...WECHATPAY, needs: ['payer_id'] },
  'wechatpay.h5': { ...WECHATPAY, needs: ['client_ip'], takes: ['return_url'], lastsMinutes: 5 },
  'unionpay.gateway': { ...UNIONPAY, takes: ['return_url'] },
  'unionpay.wap': { ...UNIONPAY, takes: ['return_url'] },
  'unionpay.qr': { ...UNIONPAY, lastsMinutes: 120 },
  'card.stripe': {
    provider: 'stripe',
    needs: [],
    takes: ['return_url'],
    lastsMinutes: DAY,
    currencies: null,
    mostAmount: 99_999_999,
    closing: 'at_once',
  },
  'paypal.checkout': {
    provider: 'paypal',
    needs: [],
    takes: ['return_url'],
    lastsMinutes: 180,
    currencies: PAYPAL_CURRENCIES,
    closing: 'never',
  },
} as const satisfies Record<string, MethodTerms>;
export type PaymentMethod = keyof typeof METHODS;

export const methodTerms = (method: PaymentMethod): MethodTerms => METHODS[method];
export const providerOf = (method: PaymentMethod): ProviderName => METHODS[method].provider;

/** Whether a method can be paid with in a currency (ISO 4217). */
export function takesCurrency(method: PaymentMethod, currency: string): boolean {
  const { currencies } = methodTerms(method);
  return currencies === null || currencies.includes(currency);
}
