import type { Day } from '../domain/statement-day.ts';
import type { Buyer, PaymentMethod, ProviderName } from '../domain/method.ts';
import type { Money } from '../domain/money.ts';
import type { PaymentAction } from '../domain/order.ts';
import type { StatementLine } from '../domain/reconciliation.ts';

/** One try to pay, as a provider needs to know it. */
export type Attempt = {
  method: PaymentMethod;
  /** Our number at the provider. The same number is the same payment, however often it is opened. */
  outTradeNo: string;
  /** The order's id; handed through the provider, so that people can find the order there. */
  orderId: string;
  money: Money;
  description: string;
  /** When the order began it. Epoch milliseconds; the same however often it is opened. */
  startedAt: number;
  /** Epoch milliseconds; the provider takes no money after that. */
  expiresAt: number;
  notifyUrl: string;
  /** A page of ours that posts what stands in its query to the provider, where only a form gets a browser there. */
  formUrl: string;
  /** Where the buyer's browser goes afterwards: where they asked for, or a page of ours. */
  returnUrl: string;
  /** A page of ours that leads on to `returnUrl`, where the provider sends the browser back by a posted form. */
  landingUrl: string;
  buyer: Buyer;
};

/**
 * What opening came to. The order remembers `reference` and hands it back in every later call.
 * action: what the buyer is shown; null where there is nothing to show (bar code).
 * reference: the provider's own name of what was opened (Stripe: session, PayPal: order); null where it has none.
 * report: where opening already tells how it stands (bar code): paid, processing, failed.
 */
export type Opened = { action: PaymentAction | null; reference: string | null; report?: PaymentReport };

/**
 * A payment that was opened before, or of which nobody knows whether opening came through (`reference` is null then, too).
 * startedAt, expiresAt: as in the attempt.
 */
export type PaymentRef = {
  method: PaymentMethod;
  orderId: string;
  outTradeNo: string;
  reference: string | null;
  startedAt: number;
  expiresAt: number;
  money: Money;
};

/** How a payment stands at its provider. Only `paid` carries money, and only from a verified answer. */
export type PaymentReport =
  | { state: 'unknown' } // The provider has never heard of it (perhaps: not yet).
  | { state: 'pending' }
  | { state: 'processing' } // The buyer is at it, or money is under way that nobody can hold up.
  | { state: 'approved' } // The buyer said yes; the money is there for `capture` (PayPal).
  | { state: 'paid'; tradeNo: string; money: Money; paidAt: number }
  // `mayYetBePaid`: what was opened still stands, so that another card may do it (Stripe, UnionPay).
  | { state: 'failed'; reason: string; mayYetBePaid?: true }
  | { state: 'closed' } // For good: nobody can pay it any more.
  // Closing met a payment and gave the money back at once (bar code). Times in epoch milliseconds.
  | { state: 'revoked'; tradeNo: string; money: Money; paidAt: number; settledAt: number };

/** Money to give back out of a payment. The same `outRefundNo` is the same refund, however often it is asked for. */
export type RefundRequest = {
  /** Of the payment, as are `orderId`, `reference` and `startedAt`. */
  method: PaymentMethod;
  orderId: string;
  outTradeNo: string;
  reference: string | null;
  startedAt: number;
  /** The provider's number of the payment. */
  tradeNo: string;
  outRefundNo: string;
  /** When this number came to be asked for. Epoch milliseconds; the same however often it is asked for. */
  askedAt: number;
  paid: Money;
  refund: Money;
  reason: string;
  notifyUrl: string;
};

export type RefundReport =
  | { state: 'unknown' } // The provider has never heard of it.
  | { state: 'processing' }
  | { state: 'succeeded'; settledAt: number }
  | { state: 'failed'; reason: string };

/** What a verified notice says. `account` is whom the provider means: compared before anything counts (rule 2). */
export type Notice = {
  /** The provider's number of this notice: equal when it is sent again. */
  id: string;
  account: { merchantNo: string; appId: string | null };
} & (
  | { about: 'payment'; outTradeNo: string; payment: PaymentReport }
  // `outTradeNo`: null where the notice knows only the refund.
  | { about: 'refund'; outTradeNo: string | null; outRefundNo: string; refund: RefundReport }
);

/** What a buyer's browser posts to the provider. */
export type BuyerForm = { action: string; fields: Readonly<Record<string, string>> };

/** A notice as it is kept. `ours`: it meant the account that we held when it came; `told`: by the merchant, not by the provider. */
export type KeptNotice = Notice & { ours: boolean; told?: true };

/** An HTTP answer, word for word as the provider wants it. */
export type Acknowledgement = { status: number; headers: Record<string, string>; body: string };

/** One merchant's account at one payment provider. Every call may be repeated and must then mean the same. */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** @throws ProviderError refused where the provider said no: the attempt has failed, and nothing was opened */
  open(attempt: Attempt): Promise<Opened>;
  /** @throws ProviderError */
  query(payment: PaymentRef): Promise<PaymentReport>;
  /**
   * Takes the money that the buyer approved; only what reports `approved` has it.
   * @throws ProviderError
   */
  capture?(payment: PaymentRef): Promise<PaymentReport>;
  /**
   * Asks the provider to take no money any more; does nothing where there is no close.
   * @returns what the answer itself tells, `revoked`; null: whether it was paid before, only `query` tells
   * @throws ProviderError
   */
  close(payment: PaymentRef): Promise<PaymentReport | null>;
  /** @throws ProviderError */
  refund(request: RefundRequest): Promise<RefundReport>;
  /** @throws ProviderError */
  queryRefund(request: RefundRequest): Promise<RefundReport>;
  /**
   * What the provider's own books say of one day (on its clock, see `ZONES`); nothing where nothing moved.
   * @throws ProviderError busy `statement_not_ready` where it is not made yet
   */
  statement(day: Day): Promise<StatementLine[]>;
  /** Reads a notice whose signature holds. @throws NoticeRejected if it doesn't, or if the notice is too old. */
  readNotice(request: { headers: Headers; body: Uint8Array }): Promise<Notice>;
  /** accepted: it can't be lost any more; failed: send it again; rejected: not from the provider. */
  acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement;
  /** Whether a notice's account is the one we hold here. */
  isOurs(account: Notice['account']): boolean;
  /** The form behind a query of our `formUrl`; null if it isn't one that `open` handed out. */
  formOf?(query: URLSearchParams): BuyerForm | null;
}

/** Providers make their bills hours after the day. */
export const statementNotReady = (provider: ProviderName, cause?: unknown): ProviderError =>
  new ProviderError('busy', 'statement_not_ready', `${provider} statement: not made yet`, { cause });

/** A notice that nobody may believe. The message says why, and never quotes the notice. */
export class NoticeRejected extends Error {}

/**
 * A call that brought no answer to build on.
 * refused: a definite no, nothing happened and repeating won't help; busy: nothing happened, try again later
 * (`retryAfterMs` where the provider says when); unknown: it may have happened, ask before anything else (rule 7).
 */
export class ProviderError extends Error {
  readonly outcome: 'refused' | 'busy' | 'unknown';
  /** The provider's own code, for people. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(
    outcome: ProviderError['outcome'],
    code: string,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.outcome = outcome;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether the provider said a definite no; with `codes`: for one of these reasons. */
export function isRefusal(error: unknown, codes?: readonly string[]): error is ProviderError {
  return error instanceof ProviderError && error.outcome === 'refused' && (codes?.includes(error.code) ?? true);
}
