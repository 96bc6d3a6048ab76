import type { ItemId, PaymentId, RefundId } from './ids.ts';
import type { PaymentMethod } from './method.ts';
import type { Actor, PaymentAction, RefundOrigin, Tracking } from './order.ts';

/** What a refund is asked for. */
export type RefundAsk =
  | { type: 'all' }
  | { type: 'amount'; amount: number }
  | { type: 'items'; items: readonly { item: ItemId; quantity: number }[] };

type DeliveryReport = {
  item: ItemId;
  status: 'delivering' | 'delivered' | 'picked_up' | 'failed';
  /** How many have arrived in all; null: all that can. Where it tells of one dispatch: how many came out of that. */
  quantity: number | null;
  /** Which dispatch to its machine it tells of, counted from 1; null: it tells of the item as a whole. */
  dispatch: number | null;
  tracking: Tracking | null;
  detail: string | null;
};

/** Money that came, as its provider knows it. Minor units; epoch milliseconds. */
export type MoneyFound = { tradeNo: string; amount: number; currency: string; paidAt: number };
/** How money stands at its provider, as an answer or a verified notice told it. */
export type PaymentFinding =
  | { state: 'pending' }
  | { state: 'processing' }
  /** `unconfirmed`: only the merchant says so. */
  | ({ state: 'paid'; unconfirmed?: true } & MoneyFound)
  | { state: 'approved' }
  /** `mayYetBePaid`: what was opened still stands at its provider, or nobody knows that it doesn't. */
  | { state: 'failed'; reason: string; mayYetBePaid?: true }
  | { state: 'closed'; mayYetBePaid?: true }
  /** Closing met a payment, and its provider gave it back at once (bar code). */
  | ({ state: 'revoked'; settledAt: number } & MoneyFound);
export type RefundFinding =
  { state: 'processing' } | { state: 'succeeded'; settledAt: number } | { state: 'failed'; reason: string };
/** What came of telling a machine to dispense. `uncertain`: no answer, it may have been told (rule 7). */
export type DispatchFinding = { state: 'taken' } | { state: 'uncertain' } | { state: 'refused'; reason: string };

/** By `key`; `person` is the same by whichever of their keys. Earlier versions told the key alone. */
export type Reviewer = { key: string; person?: string; name: string };

/** Wishes of people and programs: done, or refused with a code. `key` tells who asks, stably. */
export type Wish = { by: Actor } & (
  | { type: 'confirm' }
  /**
   * `buyer`: where what the provider has to be told about the buyer is kept; personal, so it stays out of here.
   * `askedAt`: epoch milliseconds. A workflow task that is lost and repeated, at another time, begins the same attempt.
   */
  | { type: 'open_payment'; method: PaymentMethod; buyer?: string; askedAt?: number }
  | { type: 'cancel'; because: 'customer' | 'merchant'; applicant: string; reason: string | null }
  | {
      type: 'apply_refund';
      refund: RefundId;
      ask: RefundAsk;
      reason: string;
      origin: Extract<RefundOrigin, 'customer' | 'merchant'>;
      applicant: string;
    }
  | {
      type: 'review_refund';
      refund: RefundId;
      decision: 'approve' | 'reject';
      reviewer: Reviewer;
      /** The merchant's setting at this moment; none: as it was when the order was created. */
      fourEyes?: boolean;
      note: string | null;
    }
  | { type: 'resolve_dispute'; payment: PaymentId; decision: 'return' | 'accept'; note: string; applicant: string }
  | { type: 'redeliver'; item: ItemId }
  | { type: 'redeem_code'; redemption: string }
  | { type: 'confirm_receipt' }
  | { type: 'review'; rating: number; comment: string | null }
  | { type: 'retry' }
);

/** What happened in the world: taken in if it still means something, never an error. */
export type Fact = { by: Actor } &
  /** `reference`: the provider's own name of it; `finding`: where opening already tells how it stands (bar code). */
  (
    | {
        type: 'payment_opened';
        payment: PaymentId;
        action: PaymentAction | null;
        reference?: string | null;
        finding?: PaymentFinding;
      }
    /** `closing`: found out by closing it. */
    | { type: 'payment_found'; payment: PaymentId; finding: PaymentFinding; closing?: true }
    | { type: 'foreign_notice_found'; payment: PaymentId }
    /** `tries`: which of its tries; none: the last one. */
    | { type: 'refund_found'; refund: RefundId; finding: RefundFinding; tries?: number }
    | {
        type: 'review_ignored';
        refund: RefundId;
        decision: 'approve' | 'reject';
        reviewer: string;
        note: string | null;
        why: string;
      }
    | ({ type: 'delivery_reported' } & DeliveryReport)
    | { type: 'dispatch_found'; item: ItemId; dispatch: number; finding: DispatchFinding }
    | { type: 'time_passed' }
  );

export type Command = Wish | Fact;
export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;

/** Why a wish is not granted; the codes are the contract's. */
export type RefusalCode =
  | 'invalid_request'
  | 'forbidden'
  | 'not_found'
  | 'order_expired'
  | 'invalid_state'
  | 'already_paid'
  | 'refund_exceeds_paid'
  | 'refund_window_closed'
  | 'limit_reached'
  | 'pickup_code_invalid';
/** `path` names the field of the request that is at fault, where one is. */
export type Refusal = { code: RefusalCode; detail: string; path?: string };
