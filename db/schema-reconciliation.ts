import type { ColumnType, Generated } from 'kysely';
import type { Day } from '../domain/statement-day.ts';
import type { ProviderName } from '../domain/method.ts';
import type { Money } from '../domain/money.ts';
import type { Entry, FindingKind } from '../domain/reconciliation.ts';

/** Which statements have been read. */
export interface StatementsTable {
  merchant_id: string;
  provider: ProviderName;
  day: Day;
  lines: number;
  read_at: Date;
  /** Null: read only to look back. */
  compared_at: ColumnType<Date | null, Date | null | undefined>;
}

/** What stands in them. */
export interface StatementLinesTable {
  merchant_id: string;
  provider: ProviderName;
  /** The provider's own number of the line. */
  id: string;
  day: Day;
  type: Entry['type'];
  reference: string;
  out_trade_no: string | null;
  amount: number;
  currency: string;
  fee: number;
  fee_currency: string;
  is_settled: boolean;
  at: Date | null;
}

/** Where ledger and statements don't agree. */
export interface FindingsTable {
  id: string;
  number: Generated<number>;
  merchant_id: string;
  provider: ProviderName;
  type: Entry['type'];
  reference: string;
  kind: FindingKind;
  out_trade_no: string | null;
  order_id: string | null;
  day: Day;
  ours: ColumnType<Money[], string, string>;
  theirs: ColumnType<Money[], string, string>;
  found_at: Date;
  /** By a person, or because both sides agree by now (`closed_by` null). */
  closed_at: Date | null;
  closed_by: string | null;
  note: string | null;
}

/** A view: every capture, refund and fee, by day. */
export interface LedgerWithFees {
  merchant_id: string;
  provider: ProviderName;
  order_id: string | null;
  type: Entry['type'] | 'fee';
  reference: string;
  out_trade_no: string | null;
  amount: number;
  currency: string;
  day: Day;
}
