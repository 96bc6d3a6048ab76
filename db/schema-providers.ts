import type { ColumnType, Generated } from 'kysely';
import type { ProviderName } from '../domain/method.ts';

type Json<T> = ColumnType<T, string, string>;
type Made = ColumnType<Date, Date | undefined, Date>;

export interface ProviderAccountsTable {
  merchant_id: string;
  provider: ProviderName;
  /** Public parts as they are; secrets only by reference, `file:…` or `env:…`. */
  config: Json<Record<string, unknown>>;
}

/** Money that moved at a provider: one row for every capture and every refund. */
export interface LedgerTable {
  order_id: string;
  type: 'capture' | 'refund';
  /** The provider's number of the payment, or our number of the refund. */
  reference: string;
  merchant_id: string;
  provider: ProviderName;
  out_trade_no: string;
  amount: number;
  currency: string;
  at: Date;
  /** The provider itself has said so; false: only the merchant has. */
  confirmed: Generated<boolean>;
}

export interface NoticesTable {
  id: string;
  provider: ProviderName;
  merchant_id: string;
  /** The provider's own number of the notice. */
  notice_id: string;
  /** Of the payment; of the refund where the notice names only that. */
  out_trade_no: string;
  order_id: string | null;
  /** What the verified notice says; no personal datum. */
  body: Json<unknown>;
  received_at: Made;
  /** When the order's workflow has taken it in, and saved. */
  processed_at: Date | null;
}
