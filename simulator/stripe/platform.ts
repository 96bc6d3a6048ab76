import { randomBytes } from 'node:crypto';
import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import type { StripeMerchant } from './merchant.ts';

export const API_VERSION = '2026-10-28.endive';

/** What Stripe's side works with. */
export type Platform = { desk: Desk; merchants: ReadonlyMap<string, StripeMerchant> };

/** A request of a known account. `idempotencyKey`: null where it gave none. */
export type Call = {
  merchant: StripeMerchant;
  path: Readonly<Record<string, string>>;
  params: unknown;
  idempotencyKey: string | null;
};

/** What was asked for under an Idempotency-Key, and the answer that is given again. */
export type Kept = { key: string; request: string; status: number; answer: string };

/** What only Stripe remembers of a Checkout Session and its PaymentIntent. */
export type SessionDetails = {
  session: string;
  code: string;
  successUrl: string;
  cancelUrl: string | null;
  customerEmail: string | null;
  metadata: Record<string, string>;
  intentMetadata: Record<string, string>;
  clientReferenceId: string | null;
  /** Both once the buyer has submitted a card. */
  intent: string | null;
  charge: string | null;
  /** The last card was declined. */
  isDeclined: boolean;
  kept: Kept | null;
};

export type RefundDetails = {
  metadata: Record<string, string>;
  reason: string | null;
  intent: string;
  charge: string;
  kept: Kept | null;
};

export const sessionDetails = ({ details }: Payment): SessionDetails => details as SessionDetails;
export const refundDetails = ({ details }: Refund): RefundDetails => details as RefundDetails;

/** `pi_…`, `cs_test_…`, as Stripe names its objects. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(18).toString('hex').slice(0, 24)}`;

export const seconds = (at: number): number => Math.floor(at / 1000);
