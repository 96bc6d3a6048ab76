/** What the simulated providers remember. Amounts are minor units, times are epoch milliseconds. */

/** The providers that are simulated so far. */
export type ProviderName = 'wechatpay' | 'alipay' | 'unionpay' | 'stripe' | 'paypal';

/** `paying`: the buyer is entering the password. A payment past its time is closed too: see `statusAt`. */
export type PaymentStatus = 'pending' | 'paying' | 'paid' | 'closed';

export type Payment = {
  /** Provider, merchant and number at once: see `recordId`. */
  id: string;
  provider: ProviderName;
  merchant: string;
  outTradeNo: string;
  /** The shop's order, where the provider's protocol carries it. */
  order: string | null;
  description: string;
  amount: number;
  currency: string;
  status: PaymentStatus;
  /** The provider's own number; null until it gave one. */
  tradeNo: string | null;
  paidAmount: number | null;
  paidAt: number | null;
  createdAt: number;
  expiresAt: number | null;
  /** Every other number by which the provider finds it again: its trade number, its codes. */
  aliases: readonly string[];
  /** Read by its own provider only. */
  details: unknown;
};

export type Refund = {
  id: string;
  provider: ProviderName;
  merchant: string;
  /** The payment's `id`. */
  payment: string;
  outRefundNo: string;
  /** The provider's own number of the refund. */
  tradeNo: string;
  amount: number;
  currency: string;
  status: 'processing' | 'succeeded' | 'failed';
  /** Decided when it was asked for (fault `refund_fails`), so that it does not change its mind. */
  willFail: boolean;
  createdAt: number;
  settlesAt: number;
  settledAt: number | null;
  details: unknown;
};

/** `due`: still to be delivered, at `dueAt`. `dropped`: lost by a fault. `given_up`: out of tries. */
export type NoticeStatus = 'due' | 'delivered' | 'dropped' | 'given_up';

export type Notice = {
  id: string;
  provider: ProviderName;
  merchant: string;
  payment: string;
  event: string;
  url: string;
  /** What it says, the same in every try. */
  body: string;
  status: NoticeStatus;
  /** Kept back by a fault; ending the faults sends it. */
  held: boolean;
  attempts: number;
  dueAt: number;
  lastError: string | null;
  createdAt: number;
  details: unknown;
};

/** A row of the providers' statement. */
export type LedgerEntry = {
  provider: ProviderName;
  outTradeNo: string;
  tradeNo: string;
  type: 'capture' | 'refund';
  amount: number;
  currency: string;
  at: number;
};

/** The merchant's numbers are the merchant's own: the same one may exist elsewhere. */
export function recordId(provider: ProviderName, merchant: string, number: string): string {
  return `${provider}/${merchant}/${number}`;
}

/** Nobody closes a payment at its time; it simply can't be paid any more. */
export function statusAt(payment: Payment, now: number): PaymentStatus {
  const isOver = payment.expiresAt !== null && payment.expiresAt <= now;
  return isOver && payment.status !== 'paid' ? 'closed' : payment.status;
}
