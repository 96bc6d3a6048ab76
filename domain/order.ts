import type { ItemId, MerchantId, OrderId, PaymentId, RefundId } from './ids.ts';
import type { PaymentMethod } from './method.ts';

/** Amounts are integers in the minor unit of the order's currency; times are epoch milliseconds. */

export const ACTOR_TYPES = ['customer', 'merchant', 'operator', 'provider', 'machine', 'system'] as const;
export type Actor = {
  type: (typeof ACTOR_TYPES)[number];
  name: string | null;
};
export const SYSTEM: Actor = { type: 'system', name: null };

export type CancelReason = 'expired' | 'customer' | 'merchant' | 'revoked' | 'refunded';
/** `machine`: a vending machine dispenses it; `pickup`: handed out for the order's code; `digital`: granted at once. */
export const FULFILMENTS = ['shipment', 'machine', 'pickup', 'digital'] as const;
export type Fulfilment = (typeof FULFILMENTS)[number];
export type Tracking = { carrier: string; number: string };
export type DeliveryStatus = 'waiting' | 'delivering' | 'delivered' | 'picked_up' | 'failed' | 'timed_out' | 'refunded';

export type Item = Readonly<{
  id: ItemId;
  quantity: number;
  /** The line's total. */
  amount: number;
  fulfilment: Fulfilment;
  deliveryTimeoutSeconds: number | null;
  /** What a failed delivery leads to: a refund by itself, or a person's decision. */
  onFailure: 'refund' | 'ask';
  status: DeliveryStatus;
  /** How many have arrived in all. */
  arrived: number;
  /** How many will not be delivered any more, because their money goes or went back. */
  withdrawn: number;
  /** A person said no to giving money back for this failed item: nothing more is owed for it. */
  failureDecided: boolean;
  tracking: Tracking | null;
  updatedAt: number | null;
  /** When the last unit arrived, and when it was delivered anew after it had failed. Earlier versions didn't keep them. */
  arrivedAt?: number | null;
  restartedAt?: number | null;
  /** Its machine has to be told to dispense it, and is not known to have been. */
  toDispatch: boolean;
  /** How many had arrived before the present dispatch: a machine counts what comes out of each anew. */
  arrivedBefore: number;
  /** How often it was sent on: its machine took or refused it, or it was released for the pick-up code. */
  sends: number;
}>;

export type PaymentAction =
  { type: 'redirect'; url: string } | { type: 'qr'; content: string } | { type: 'app'; params: Record<string, string> };

export type PaymentStatus = 'pending' | 'processing' | 'succeeded' | 'disputed' | 'failed' | 'closed' | 'refunded';

/** Money that a provider says it took. `use`: pays the order, has to be looked at, or has to go back. */
export type Capture = Readonly<{
  tradeNo: string;
  amount: number;
  currency: string;
  at: number;
  use: 'order' | 'disputed' | 'excess';
  /** Only the merchant has said so: its provider has still to confirm it. */
  unconfirmed?: true;
}>;

/** One try to pay. */
export type Payment = Readonly<{
  id: PaymentId;
  method: PaymentMethod;
  outTradeNo: string;
  /** Nobody has opened it here: its buyer pays it at its provider, under its number. */
  waiting?: boolean;
  /** Where the details of its buyer are kept, if it has any. */
  buyer?: string;
  amount: number;
  status: PaymentStatus;
  startedAt: number;
  expiresAt: number;
  /** What the buyer has to be shown; null until the provider answered, and where there is nothing to show. */
  action: PaymentAction | null;
  /** It was opened without anything to show. */
  withoutAction?: true;
  /** The provider's own name of what was opened, where it has one. */
  reference?: string;
  failure: string | null;
  /** Since when its provider is to be asked to close it. */
  closingSince: number | null;
  /** Since when its provider waits for us to take the money that the buyer approved. */
  approvedAt?: number | null;
  /** It failed, or counts as closed, and may yet be paid: since when, and until when it is asked about. */
  watched?: { since: number; until: number } | null;
  /** When its provider was asked to take a bar code's payment back, whatever it had come to. */
  revokedAt?: number;
  captures: readonly Capture[];
  paidAt: number | null;
  /** A verified notice named another merchant or app (rule 2). */
  foreignNoticeAt: number | null;
}>;

export type RefundStatus = 'requested' | 'rejected' | 'approved' | 'processing' | 'succeeded' | 'failed';
export type RefundOrigin =
  | 'customer'
  | 'merchant'
  | 'cancellation'
  | 'delivery_failure'
  | 'duplicate_payment'
  | 'late_payment'
  | 'disputed_payment';
export type RefundedItem = { item: ItemId; quantity: number; amount: number };

/** Money on its way back, or asked for. */
export type Refund = Readonly<{
  id: RefundId;
  amount: number;
  currency: string;
  /** Named items; null where it is an amount, or all that was left. */
  items: readonly RefundedItem[] | null;
  /** Asked for all that was left. */
  all: boolean;
  reason: string | null;
  origin: RefundOrigin;
  status: RefundStatus;
  /** Who applied: the person or API key, so that they can be told from the reviewer (four eyes). */
  applicant: string;
  /** The payment and capture it is paid from; null where no money moved (free and test orders). */
  source: { payment: PaymentId; tradeNo: string } | null;
  reviewer: string | null;
  note: string | null;
  /** How many times it was tried again by itself after a definite failure; each try has its own number. */
  tries: number;
  /** When it is tried again by itself. */
  retryAt: number | null;
  overdue: boolean;
  /** How much of a failed one new applications took over. */
  replacedAmount: number;
  failure: string | null;
  createdAt: number;
  reviewedAt: number | null;
  /** Since when it is owed: approved, or reversed. */
  owedSince: number | null;
  /** Since when its last try is owed, where it is not the first. */
  triedAt?: number;
  processingSince: number | null;
  settledAt: number | null;
  /** Since when it keeps failing. */
  failedAt: number | null;
  /** It had succeeded, and its provider took that back. */
  reversed: boolean;
  /** Tries that had succeeded, and whose provider took that back. */
  reversedTries?: readonly number[];
  /** The try that succeeded, where it was not the last one: its provider told of a failure first. */
  settledTry?: number | null;
  /** Tries whose money went out although the refund does not count it: another one counts, or was given the amount. */
  astray?: readonly StrayRefund[];
}>;
/** `settledAt`: epoch milliseconds; `isSeen`: a person has taken care of it. */
export type StrayRefund = Readonly<{ tries: number; settledAt: number; isSeen: boolean }>;

export type Ending = {
  because: 'expired' | 'customer' | 'merchant';
  by: Actor;
  applicant: string;
  reason: string | null;
  since: number;
};

/** The pick-up code was redeemed. `id` is that of the asking: asked again it is the same redemption. */
export type Redemption = Readonly<{ id: string; items: readonly { item: ItemId; quantity: number }[] }>;

export type OrderStatus =
  'awaiting_confirmation' | 'pending_payment' | 'paid' | 'processing' | 'completed' | 'cancelled';

export type PayableAs = Readonly<{ outTradeNo: string; methods: readonly PaymentMethod[] }>;

export type Order = Readonly<{
  id: OrderId;
  merchant: MerchantId;
  /** What it is about, for people: buyers at their provider, operators in the Temporal UI. */
  title: string;
  currency: string;
  discount: number;
  deliveryFee: number;
  total: number;
  test: boolean;
  fourEyes: boolean;
  createdAt: number;
  /** Orders of earlier versions don't tell. */
  createdBy?: Actor;
  expiresAt: number;
  refundWindowSeconds: number;
  autoReceiptAfterSeconds: number;
  /** May be paid under this number from the start, by each of these methods: one of each provider. */
  payableAs?: PayableAs;
  items: readonly Item[];
  status: OrderStatus;
  /** The customer's final yes was asked for, and given. */
  confirmed: boolean;
  /** It is about to end unpaid: its attempts are being closed first (rule 5). */
  ending: Ending | null;
  cancelReason: CancelReason | null;
  paidAt: number | null;
  /** When it learned that it is paid: dispatching begins, perhaps long after the money came. */
  dispatchFrom: number | null;
  /** The payment that paid it; null while unpaid, and where no money was needed. */
  paidBy: PaymentId | null;
  receivedAt: number | null;
  completedAt: number | null;
  endedAt: number | null;
  payments: readonly Payment[];
  refunds: readonly Refund[];
  redemption: Redemption | null;
  review: { rating: number; comment: string | null } | null;
  /** Duties, by key, that could not be done for too long (rule 9). */
  delayed: readonly string[];
  /** Items that arrived although their money had gone back. */
  deliveredAfterRefund: { since: number } | null;
  /** How many times it has changed; its ETag. */
  version: number;
  /** How many entries its timeline has. */
  seq: number;
}>;

export const UNPAID: readonly string[] = ['awaiting_confirmation', 'pending_payment'] satisfies OrderStatus[];
export const isUnpaid = ({ status }: Order): boolean => UNPAID.includes(status);
/** Paid, and not ended by giving everything back. */
export const isPaid = ({ status }: Order): boolean =>
  status === 'paid' || status === 'processing' || status === 'completed';
/** May still take money at its provider. */
export const isLive = ({ status }: Payment): boolean => status === 'pending' || status === 'processing';
/** The provider took it; until then nothing can have been shown to the buyer. */
export const isOpened = ({ action, withoutAction }: Payment): boolean => action !== null || withoutAction === true;
export const isOpen = (payment: Payment): boolean => isLive(payment) && payment.closingSince === null;

/** It failed or counts as closed, and may yet be paid all the same. */
export const isWatched = ({ watched }: Payment): boolean => watched !== null && watched !== undefined;
/** Something of it still stands at its provider, and nobody has asked to close that. */
export const needsClosing = (payment: Payment): boolean =>
  isOpen(payment) || (payment.status === 'failed' && isWatched(payment) && payment.closingSince === null);

export const paymentOf = (order: Order, id: PaymentId): Payment | undefined => order.payments.find((p) => p.id === id);
export const refundOf = (order: Order, id: RefundId): Refund | undefined => order.refunds.find((r) => r.id === id);
export const itemOf = (order: Order, id: ItemId): Item | undefined => order.items.find((i) => i.id === id);
