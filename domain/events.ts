import type { ItemId, PaymentId, RefundId } from './ids.ts';
import type { PaymentMethod } from './method.ts';
import type {
  Actor,
  Capture,
  CancelReason,
  DeliveryStatus,
  Ending,
  PaymentAction,
  Redemption,
  Refund,
  Tracking,
} from './order.ts';

/** How one item stands after a report. */
export type ItemChange = {
  item: ItemId;
  status: DeliveryStatus;
  arrived: number;
  tracking: Tracking | null;
  /** Its machine has still to be told, or told again under the same number; otherwise any report ends that. */
  toDispatch?: true;
};
/** Units that will not be delivered any more. */
export type Withdrawal = { item: ItemId; quantity: number };

/** What the timeline shows, by the contract's names ("Event and notification types"). */
type TimelineFact =
  | { type: 'order.created' }
  | { type: 'order.confirmed' }
  /** `note`: why a person accepted disputed money. */
  | { type: 'order.paid'; payment: PaymentId | null; paidAt: number; note?: string }
  | { type: 'order.processing' }
  | { type: 'order.completed' }
  | { type: 'order.cancelled'; reason: Exclude<CancelReason, 'expired'>; detail: string | null }
  | { type: 'order.expired' }
  | { type: 'order.received' }
  | { type: 'order.reviewed'; rating: number; comment: string | null }
  | {
      type: 'payment.opened';
      payment: PaymentId;
      method: PaymentMethod;
      action: PaymentAction | null;
      reference?: string;
    }
  | { type: 'payment.processing'; payment: PaymentId }
  /** `watchedUntil`: it may yet be paid, and is asked about until then. */
  | { type: 'payment.failed'; payment: PaymentId; failure: string; watchedUntil?: number }
  | { type: 'payment.closed'; payment: PaymentId; watchedUntil?: number }
  /** `isOnlyTold`: by the merchant. No money is presumed, and nothing changes. */
  | { type: 'payment.disputed'; payment: PaymentId; capture: Capture; isOnlyTold?: true }
  | { type: 'item.delivery_updated'; items: readonly ItemChange[]; detail: string | null }
  /** `withdrawn`: of a refund that is approved from the start. */
  | { type: 'refund.requested'; refund: Refund; withdrawn?: readonly Withdrawal[] }
  | {
      type: 'refund.reviewed';
      refund: RefundId;
      decision: 'approve' | 'reject';
      reviewer: string;
      note: string | null;
      withdrawn: readonly Withdrawal[];
    }
  /** Someone decided who may not: it stands in the timeline and changes nothing. */
  | {
      type: 'refund.reviewed';
      refund: RefundId;
      decision: 'approve' | 'reject';
      reviewer: string;
      note: string | null;
      ignored: string;
    }
  /** `tries`: which try, where it was not the last one. */
  | { type: 'refund.succeeded'; refund: RefundId; settledAt: number; tries?: number }
  | { type: 'refund.failed'; refund: RefundId; failure: string; retryAt: number | null }
  | { type: 'refund.overdue'; refund: RefundId };

/** What only the order itself needs to remember. */
type InnerFact =
  /** `outTradeNo`: it waits under this number, and is opened elsewhere. */
  | {
      type: 'attempt_started';
      payment: PaymentId;
      method: PaymentMethod;
      /** When it was asked for. Epoch milliseconds; none: at the event's own time. */
      startedAt?: number;
      expiresAt: number;
      buyer?: string;
      outTradeNo?: string;
    }
  /** One that waits is to be opened here. */
  | { type: 'attempt_taken'; payment: PaymentId; method: PaymentMethod; expiresAt: number; buyer?: string }
  | { type: 'attempt_closing'; payment: PaymentId }
  | { type: 'closing_began'; ending: Ending }
  /** Its provider was asked again about an attempt that counts as failed or closed; null: nobody can pay it any more. */
  | { type: 'attempt_asked'; payment: PaymentId; watchedUntil: number | null }
  /** The buyer said yes: its money is to be taken. */
  | { type: 'attempt_approved'; payment: PaymentId }
  /** `isTaken`: the money is on its way; otherwise the buyer has to say yes again. */
  | { type: 'attempt_approval_ended'; payment: PaymentId; isTaken: boolean }
  /** `isRevoked`: its provider gave it back at once. */
  | { type: 'money_captured'; payment: PaymentId; capture: Capture; isRevoked?: true }
  /**
   * Its provider says the same; `told`: the number under which the merchant had told of it; `cameBy`: the attempt that it
   * really came by, where the merchant had named another one.
   */
  | { type: 'capture_confirmed'; payment: PaymentId; told: string; capture: Capture; cameBy?: PaymentId }
  | { type: 'foreign_notice'; payment: PaymentId }
  | { type: 'refund_processing'; refund: RefundId }
  | { type: 'refund_tried_again'; refund: RefundId }
  | { type: 'refund_astray'; refund: RefundId; tries: number; settledAt: number }
  | { type: 'duty_delayed'; duty: string }
  | { type: 'delivered_after_refund'; item: ItemId }
  /** Its machine has been told to dispense it. */
  | { type: 'item_sent'; item: ItemId }
  | { type: 'code_redeemed'; redemption: Redemption }
  /** A person has seen what no trying again can mend. */
  | { type: 'attention_seen' };

type Stamp = { at: number; by: Actor };
export type TimelineEvent = TimelineFact & Stamp;
export type OrderEvent = TimelineEvent | (InnerFact & Stamp);

/** The contract's types have a dot in their name, ours don't. */
export const isTimelineEvent = (event: OrderEvent): event is TimelineEvent => event.type.includes('.');
