import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { OrderView } from '../domain/view.ts';

/** Where merchants are told, and what: the part of the schema that notifications have. */

type Json<T> = ColumnType<T, string, string>;
type Made = ColumnType<Date, Date | undefined, Date>;

export interface WebhookEndpointsTable {
  id: string;
  number: GeneratedAlways<number>;
  merchant_id: string;
  url: string;
  /** Null: all. */
  types: string[] | null;
  status: 'enabled' | 'disabled';
  /** Sealed: see endpoints.ts. */
  secrets: string | null;
  /** It asked to be left alone until then (Retry-After). */
  paused_until: Date | null;
  /** Its history stays. */
  deleted_at: Date | null;
  created_at: Made;
}

/** What merchants are to be told; written with the change itself. */
export interface OutboxTable {
  order_id: string;
  seq: number;
  merchant_id: string;
  type: string;
  /** See `causeOf` in domain/notification.ts. */
  cause: string | null;
  at: Date;
  /** The order as it was at that moment, without personal data. */
  body: Json<OrderView>;
}

/** One entry of the outbox on its way to one endpoint. */
export interface NotificationsTable {
  number: GeneratedAlways<number>;
  id: string;
  order_id: string;
  seq: number;
  endpoint_id: string;
  merchant_id: string;
  type: string;
  status: ColumnType<'pending' | 'delivered' | 'failed', 'pending' | undefined, 'pending' | 'delivered' | 'failed'>;
  /** Attempts since it was written, or sent again. */
  tries: Generated<number>;
  /** Somebody wants it sent again: it holds nothing back then. */
  resent: Generated<boolean>;
  /** Since then no repeated workflow task takes it back; null: one may. */
  settled_at: Date | null;
  next_attempt_at: Date;
  /** As it was sent first, so that every attempt has the same bytes. */
  body: string | null;
  last_error: string | null;
  delivered_at: Date | null;
  failed_at: Date | null;
  created_at: Made;
}

export interface NotificationAttemptsTable {
  id: GeneratedAlways<number>;
  notification: number;
  at: Date;
  /** Of the HTTP answer; null: there was none. */
  status: number | null;
  /** Null: nobody has seen it end (yet). */
  duration_ms: number | null;
  error: string | null;
}
