import type { DispatchFinding, PaymentFinding, RefundFinding, Reviewer } from '../domain/commands.ts';
import type { ItemId, MerchantId, OrderId } from '../domain/ids.ts';
import type { PaymentMethod, ProviderName } from '../domain/method.ts';
import type { Money } from '../domain/money.ts';
import type { Order, PaymentAction, PaymentStatus } from '../domain/order.ts';
import type { Actor } from '../domain/order.ts';

/** What goes between the order's workflow and the world: all of it stands in the history, so no personal datum. */

export type AttemptCall = {
  order: OrderId;
  merchant: MerchantId;
  method: PaymentMethod;
  outTradeNo: string;
  /** The provider's own name of what was opened. */
  reference: string | null;
  startedAt: number;
  expiresAt: number;
  money: Money;
  /** Not opened by us: that its provider knows nothing of it does not mean that nobody can pay it. */
  openedElsewhere?: true;
};
/** `known`: the provider's numbers of money that is booked already, and was not what the merchant told of. */
export type ConfirmCall = AttemptCall & { known: readonly string[] };
/** `buyer`: where the details of the buyer are kept. */
export type OpenCall = AttemptCall & { title: string; buyer?: string };
/** `finding`: where opening already tells how it stands. */
export type Opened =
  { action: PaymentAction | null; reference?: string | null; finding?: PaymentFinding } | { refused: string };
/**
 * `known`: how the workflow has it; the activity comes back when the provider says something else.
 * `until`: and then, in any case (epoch milliseconds).
 */
export type WatchCall = AttemptCall & { known: PaymentStatus; until?: number };
export type RefundCall = {
  order: OrderId;
  merchant: MerchantId;
  provider: ProviderName;
  method: PaymentMethod;
  outTradeNo: string;
  reference: string | null;
  /** When the payment was begun. Epoch milliseconds. */
  startedAt: number;
  tradeNo: string;
  outRefundNo: string;
  /** Since when this number is owed. Epoch milliseconds. */
  askedAt: number;
  paid: Money;
  refund: Money;
  reason: string;
};
/** `mayBeUnmade`: nobody knows whether the call for it was ever made, and it must not be made any more. */
export type RefundToWatch = RefundCall & { mayBeUnmade: boolean };
/** `mayBeMade`: an earlier call may have come through, so that this one asks first. */
export type RefundToMake = RefundCall & { mayBeMade: boolean };

/** `mayBeTaken`: the machine may have been told before, so that no answer says nothing new. */
export type DispatchCall = {
  order: OrderId;
  merchant: MerchantId;
  item: ItemId;
  dispatch: number;
  quantity: number;
  mayBeTaken: boolean;
};
export type Dispatched = { machineNo: string; finding: DispatchFinding };

/** `fourEyes`: their merchant's setting. Earlier versions told neither that nor the person. */
export type FoundReviewer = Reviewer & { fourEyes?: boolean };

/** What a verified notice says, as the database has it. `ours`: it means the account that we hold. */
export type NoticeFinding =
  | {
      about: 'payment';
      outTradeNo: string;
      ours: boolean;
      provider: ProviderName;
      finding: PaymentFinding;
      /** The merchant says so. */
      told?: true;
    }
  | { about: 'refund'; outRefundNo: string; ours: boolean; provider: ProviderName; finding: RefundFinding };

export type StoredEvent = { seq: number; type: string; at: string; actor: Actor; data: Record<string, unknown> };
/** A stored order with the end of its timeline and its labels. */
export type OrderToReopen = { order: Order; timeline: StoredEvent[]; merchantOrderNo: string; channel: string };
