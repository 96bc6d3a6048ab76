import { randomInt } from 'node:crypto';
import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import type { WebhookKey } from './keys.ts';
import type { PaypalMerchant } from './merchant.ts';
import type { Tokens } from './tokens.ts';

/** What PayPal's side works with. */
export type Platform = {
  desk: Desk;
  key: WebhookKey;
  merchants: ReadonlyMap<string, PaypalMerchant>;
  tokens: Tokens;
};

/** A call whose token is good. */
export type Call = {
  merchant: PaypalMerchant;
  /** How the merchant reaches the API: links lead back there. */
  apiUrl: string;
  path: Readonly<Record<string, string>>;
  query: URLSearchParams;
  requestId: string | null;
  /** Prefer: return=representation. */
  isFull: boolean;
  body: unknown;
};

export type Answer = { status: 200 | 201; body: object };

/** What only PayPal remembers of an order. */
export type OrderDetails = {
  orderId: string;
  apiUrl: string;
  referenceId: string;
  customId: string | null;
  invoiceId: string | null;
  returnUrl: string | null;
  cancelUrl: string | null;
  /** Whether the payment source was named, so that the payer's action is asked for by that name. */
  isSourceNamed: boolean;
  requestId: string | null;
  /** The fields of the request, as text. */
  request: string;
  /** Under which PayPal-Request-Id it was captured, if it had one. */
  captureRequestId?: string | null;
  /** The payer said yes; `amount` is what will be taken; `declined`: by a card that will be refused. */
  approval: { amount: number; declined: boolean } | null;
};

/** What only PayPal remembers of a refund. */
export type RefundDetails = {
  requestId: string | null;
  request: string;
  customId: string | null;
  invoiceId: string | null;
  note: string | null;
};

export const orderDetails = ({ details }: Payment): OrderDetails => details as OrderDetails;
export const refundDetails = ({ details }: Refund): RefundDetails => details as RefundDetails;

const LETTERS = '0123456789ABCDEFGHJKLMNPQRSTUVWXY';
/** As the platform numbers what it makes. */
export const newId = (): string => Array.from({ length: 17 }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** RFC 3339, whole seconds. */
export const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
