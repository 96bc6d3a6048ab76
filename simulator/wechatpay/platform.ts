import type { Links } from '../links.ts';
import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import type { PlatformKeys } from './keys.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Signer } from './signature.ts';

/** What WeChat Pay's side works with. */
export type Platform = {
  desk: Desk;
  keys: PlatformKeys;
  merchants: ReadonlyMap<string, KnownMerchant>;
  /** Files that a link leads to, each for one merchant. */
  bills: Links<{ merchant: string; file: Buffer }>;
  /** Whether notices may go to http on this machine. */
  mayNotifyLocalHttp: boolean;
};

/** A request whose signature holds. */
export type Call = {
  merchant: KnownMerchant;
  /** Signs the answer, and later the notices about what is asked for here. */
  signer: Signer;
  path: Readonly<Record<string, string>>;
  query: URLSearchParams;
  body: unknown;
};

/** `body: null` is an empty one (204). */
export type Answer = { status: 200 | 204; body: object | null };

/** What only WeChat Pay remembers of a payment. */
export type PaymentDetails = {
  appid: string;
  tradeType: 'NATIVE' | 'JSAPI' | 'MWEB';
  notifyUrl: string;
  attach: string | null;
  openid: string;
  /** The fields of the first request, as text: the same number may come again only with the same ones. */
  request: string;
  /** Serial of the key for its notices. */
  signer: string;
};

/** What only WeChat Pay remembers of a refund. */
export type RefundDetails = { reason: string | null; notifyUrl: string | null; total: number; signer: string };

export const paymentDetails = ({ details }: Payment): PaymentDetails => details as PaymentDetails;
export const refundDetails = ({ details }: Refund): RefundDetails => details as RefundDetails;

/** The public key for who asked for it; for all others the certificate that signs by now. */
export function signerOf({ keys: { publicKeySigner, certificates } }: Platform, serial: string): Signer {
  return serial === publicKeySigner.serial ? publicKeySigner : certificates[0].signer;
}
