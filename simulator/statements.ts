import { randomInt } from 'node:crypto';
import type { Books } from './books.ts';
import type { Payment, ProviderName, Refund } from './records.ts';

/** A line of a statement, before a provider writes it in its own form. */
export type StatementEntry = {
  type: 'capture' | 'refund';
  /** Of the payment, as is `tradeNo`. */
  outTradeNo: string;
  tradeNo: string;
  /** The refund's numbers, the merchant's and the provider's; null for payments. */
  outRefundNo: string | null;
  refundTradeNo: string | null;
  amount: number;
  currency: string;
  description: string;
  createdAt: number;
  at: number;
  /** The money has moved. */
  isSettled: boolean;
};

type Extra = { provider: ProviderName; merchant: string; entry: StatementEntry };

export type StatementChanges = {
  /** Statements of days that are not over are made, too. */
  early?: boolean | undefined;
  /** Numbers of payments and refunds that are left out. */
  missing?: readonly string[] | undefined;
  /** With another amount than was paid, minor units. */
  different?: readonly { number: string; amount: number }[] | undefined;
};

/** From the first moment to before the second. Epoch milliseconds. */
export type Period = { from: number; to: number };

/** What the providers' statements say: the books, and what was changed about them to be found. */
export class Statements {
  readonly #books: Books;
  readonly #now: () => number;
  #isEarly = false;
  readonly #missing = new Set<string>();
  readonly #amounts = new Map<string, number>();
  #extra: Extra[] = [];

  constructor(books: Books, now: () => number) {
    this.#books = books;
    this.#now = now;
  }

  /** Adds to what was changed before. */
  change({ early, missing = [], different = [] }: StatementChanges): void {
    if (early !== undefined) this.#isEarly = early;
    for (const number of missing) this.#missing.add(number);
    for (const { number, amount } of different) this.#amounts.set(number, amount);
  }

  /** A payment that the merchant knows nothing of. @param at epoch milliseconds */
  add(
    provider: ProviderName,
    merchant: string,
    wish: { outTradeNo: string; amount: number; currency: string; at: number },
  ) {
    const entry: StatementEntry = {
      type: 'capture',
      ...wish,
      tradeNo: numberLike(provider),
      outRefundNo: null,
      refundTradeNo: null,
      description: 'Paid elsewhere',
      createdAt: wish.at,
      isSettled: true,
    };
    this.#extra.push({ provider, merchant, entry });
  }

  end(): void {
    this.#isEarly = false;
    this.#missing.clear();
    this.#amounts.clear();
    this.#extra = [];
  }

  view(): object {
    return {
      early: this.#isEarly,
      missing: [...this.#missing],
      different: [...this.#amounts].map(([number, amount]) => ({ number, amount })),
      extra: this.#extra.map(({ provider, merchant, entry: { outTradeNo, amount, currency, at } }) => ({
        provider,
        merchant,
        out_trade_no: outTradeNo,
        amount,
        currency,
        at: new Date(at).toISOString(),
      })),
    };
  }

  /** Whether a statement that ends then has been made. */
  isMade({ to }: Period): boolean {
    return this.#isEarly || to <= this.#now();
  }

  /** Oldest first. @param refundsBy refunds once they settled, or when they were asked for, with how they stand */
  entries(
    provider: ProviderName,
    merchant: string,
    { from, to }: Period,
    refundsBy: 'settled' | 'asked' = 'settled',
  ): StatementEntry[] {
    const payments = this.#books.payments().filter((each) => each.provider === provider && each.merchant === merchant);
    const own = payments.flatMap((payment) => [
      ...captureOf(payment),
      ...this.#books.refundsOf(payment).flatMap((refund) => refundOf(payment, refund, refundsBy)),
    ]);
    const extra = this.#extra.filter((each) => each.provider === provider && each.merchant === merchant);
    return [...own.flatMap((entry) => this.#changed(entry)), ...extra.map(({ entry }) => entry)]
      .filter(({ at }) => at >= from && at < to)
      .sort((a, b) => a.at - b.at);
  }

  #changed(entry: StatementEntry): StatementEntry[] {
    const number = entry.outRefundNo ?? entry.outTradeNo;
    if (this.#missing.has(number)) return [];
    return [{ ...entry, amount: this.#amounts.get(number) ?? entry.amount }];
  }
}

function captureOf(payment: Payment): StatementEntry[] {
  const { outTradeNo, tradeNo, paidAmount: amount, paidAt: at, currency, description, createdAt } = payment;
  if (tradeNo === null || amount === null || at === null) return [];
  const numbers = { outTradeNo, tradeNo, outRefundNo: null, refundTradeNo: null };
  return [{ type: 'capture', ...numbers, amount, currency, description, createdAt, at, isSettled: true }];
}

function refundOf(payment: Payment, refund: Refund, by: 'settled' | 'asked'): StatementEntry[] {
  const [captured] = captureOf(payment);
  const { outRefundNo, tradeNo: refundTradeNo, amount, settledAt, createdAt, status } = refund;
  const at = by === 'asked' ? createdAt : settledAt;
  if (!captured || at === null || status === 'failed') return [];
  return [
    {
      ...captured,
      type: 'refund',
      outRefundNo,
      refundTradeNo,
      amount,
      createdAt,
      at,
      isSettled: status === 'succeeded',
    },
  ];
}

const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');

function numberLike(provider: ProviderName): string {
  if (provider === 'stripe') return `pi_${digits(24)}`;
  return provider === 'paypal' ? `9${digits(16)}` : `9${digits(20)}`;
}

const BEIJING_MS = 8 * 3600 * 1000;
const DAY_MS = 24 * 3600 * 1000;

/** `2026-11-21` in China; undefined for what is no day. */
export function beijingDayPeriod(day: string): Period | undefined {
  const start = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day) return undefined;
  return { from: start - BEIJING_MS, to: start - BEIJING_MS + DAY_MS };
}

/** A share of an amount, rounded to whole units: 60 is 0.60 %. */
export const share = (amount: number, tenThousandths: number): number => Math.round((amount * tenThousandths) / 10_000);
