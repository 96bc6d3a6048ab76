import type { Links } from '../links.ts';
import type { Desk } from '../provider.ts';
import type { Payment } from '../records.ts';
import type { PlatformKeys } from './keys.ts';
import type { KnownMerchant } from './merchant.ts';

/** What Alipay's side works with. */
export type Platform = {
  desk: Desk;
  keys: PlatformKeys;
  merchants: ReadonlyMap<string, KnownMerchant>;
  /** Zip files that a link leads to. */
  bills: Links<Uint8Array>;
  /** Whether notices may go to http on this machine. */
  mayNotifyLocalHttp: boolean;
};

/** A request whose signature holds. */
export type Call = {
  merchant: KnownMerchant;
  notifyUrl: string | null;
  returnUrl: string | null;
  /** `biz_content`, parsed. */
  content: unknown;
};

/** How the buyer pays. */
export type Product = 'page' | 'wap' | 'qr' | 'barcode';

/** What only Alipay remembers of a payment. */
export type PaymentDetails = {
  product: Product;
  sellerId: string;
  notifyUrl: string | null;
  returnUrl: string | null;
  passbackParams: string | null;
  /** Under what its page is found. */
  code: string;
  buyerId: string;
  /** When the trade came to be: Alipay knows of none before the buyer has scanned or signed in. */
  tradeAt: number | null;
};

export const paymentDetails = ({ details }: Payment): PaymentDetails => details as PaymentDetails;
