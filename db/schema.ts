import type { ColumnType, Generated } from 'kysely';
import type { PaymentMethod, ProviderName } from '../domain/method.ts';
import type {
  Actor,
  DeliveryStatus,
  Fulfilment,
  Order,
  PaymentStatus,
  RefundOrigin,
  RefundStatus,
  Tracking,
} from '../domain/order.ts';
import type { PublicStatus, RefundStatusOfOrder } from '../domain/view.ts';
import type { ApplicationsTable } from './schema-applications.ts';
import type { ConsoleSessionsTable } from './schema-console.ts';
import type { CourseTables } from './schema-courses.ts';
import type { FindingsTable, LedgerWithFees, StatementLinesTable, StatementsTable } from './schema-reconciliation.ts';
import type {
  NotificationAttemptsTable,
  NotificationsTable,
  OutboxTable,
  WebhookEndpointsTable,
} from './schema-notifications.ts';
import type { LedgerTable, NoticesTable, ProviderAccountsTable } from './schema-providers.ts';

/** Amounts are integers in the minor unit of the order's currency. */
export interface Database extends CourseTables {
  merchants: MerchantsTable;
  api_keys: ApiKeysTable;
  provider_accounts: ProviderAccountsTable;
  orders: OrdersTable;
  order_items: OrderItemsTable;
  pickup_codes: PickupCodesTable;
  pickup_guesses: PickupGuessesTable;
  machine_gateways: MachineGatewaysTable;
  applications: ApplicationsTable;
  order_events: OrderEventsTable;
  payments: PaymentsTable;
  buyers: BuyersTable;
  refunds: RefundsTable;
  ledger: LedgerTable;
  notices: NoticesTable;
  webhook_endpoints: WebhookEndpointsTable;
  outbox: OutboxTable;
  notifications: NotificationsTable;
  notification_attempts: NotificationAttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
  console_sessions: ConsoleSessionsTable;
  statements: StatementsTable;
  statement_lines: StatementLinesTable;
  findings: FindingsTable;
  ledger_with_fees: LedgerWithFees;
}

type Json<T> = ColumnType<T, string, string>;
type Made = ColumnType<Date, Date | undefined, Date>;

/** `methods`: what is on offer, in which currencies, between which amounts (minor units). */
export type MerchantSettings = {
  four_eyes: boolean;
  on_delivery_failure: 'refund' | 'ask' | null;
  methods: { method: PaymentMethod; currencies: string[]; min_amount?: number; max_amount?: number }[];
};
interface MerchantsTable {
  id: string;
  name: string;
  settings: Json<MerchantSettings>;
  created_at: Made;
}

/** What a key may do (contract, "Who may call"). */
export const SCOPES = [
  'orders:read',
  'orders:write',
  'payments:write',
  'refunds:write',
  'refunds:review',
  'payments:resolve',
  'deliveries:write',
  'machines',
  'notifications:write',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];
interface ApiKeysTable {
  id: string;
  merchant_id: string;
  /** SHA-256 of the key: keys are long and random, and never stored. */
  hash: Buffer;
  /** An operator key belongs to one person, `name`. */
  kind: 'api' | 'operator';
  name: string;
  scopes: Scope[];
  created_at: Made;
  revoked_at: Date | null;
}

/** What of an order only the API needs. */
export type OrderDetails = {
  confirm: boolean;
  expires_in: number;
  delivery_timeout: number | null;
  auto_receipt_after: number;
  refund_window: number;
  return_url: string | null;
  /** The machine of all its items, where they have one and the same. */
  machine_no?: string | null;
  metadata: Record<string, string> | null;
  /** The vending application that it was ordered by. */
  application?: string;
  /** When its personal data was erased, RFC 3339. */
  erased_at?: string;
};
/** Sealed: see sealed.ts. */
export type PersonalData = {
  delivery: { name: string | null; phone: string | null; address: string | null } | null;
  customer: { id: string | null; email: string | null } | null;
};
export type Channel = 'api' | 'vending' | 'course';

export interface OrdersTable {
  id: string;
  number: Generated<number>;
  merchant_id: string;
  merchant_order_no: string;
  channel: Channel;
  currency: string;
  status: PublicStatus;
  refund_status: RefundStatusOfOrder;
  attention: boolean;
  total: number;
  paid: number;
  /** Refunds requested, approved, processing and succeeded: never more than was paid (rule 3). */
  held: number;
  refunded: number;
  /** How much of it, paid less refunded, the sums have: see rollup.ts. */
  rolled_up: Generated<number>;
  /** The order as its rules know it, without its items: they have rows of their own. */
  book: Json<Omit<Order, 'items'>>;
  details: Json<OrderDetails>;
  personal: string | null;
  /** By which the orders of one customer are found; null where none was named, or it was erased. */
  customer_hash: Buffer | null;
  version: number;
  /** Which task of which run saved last: see save.ts. */
  base: number;
  task: number;
  saved_run: string | null;
  /** Its run in Temporal; null until it was started. */
  run_id: string | null;
  /** Since when its workflow may know less than is stored: see doubts.ts. */
  doubted_at: Date | null;
  /** Its last save granted a wish, which its workflow is yet to be seen to know; moved on by each look: see doubts.ts. */
  unproven_since: Date | null;
  /** What that save had granted, by the ids of their updates; of meaning only while it is unproven. */
  unproven_wishes: string[] | null;
  created_at: Date;
  expires_at: Date;
}

export interface OrderItemsTable {
  order_id: string;
  position: number;
  id: string;
  /** Counts all items of all orders: a record's id in the vending-machine API. */
  number: Generated<number>;
  sku: string | null;
  name: string;
  quantity: number;
  unit_amount: number | null;
  amount: number;
  fulfilment: Fulfilment;
  machine_no: string | null;
  delivery_timeout_seconds: number | null;
  on_failure: 'refund' | 'ask';
  status: DeliveryStatus;
  arrived: number;
  withdrawn: number;
  failure_decided: boolean;
  tracking: Json<Tracking | null> | null;
  updated_at: number | null;
  arrived_at: number | null;
  restarted_at: number | null;
  to_dispatch: boolean;
  arrived_before: number;
  /** How often it was sent on: its machine took or refused it, or it was released for the pick-up code. */
  sends: number;
}

/** What opens the pick-up items of an order. */
interface PickupCodesTable {
  id: Generated<number>;
  order_id: string;
  merchant_id: string;
  /** HMAC of the code, to find it by: see pickup.ts. */
  hash: Buffer;
  /** Sealed. */
  code: string;
  /** The only machine that it is good for; null: any. */
  machine_no: string | null;
  /** It opens something, or may do so one day: unique among such ones of a merchant. */
  live: boolean;
}

/** Who guesses codes at a machine is slowed down. */
interface PickupGuessesTable {
  merchant_id: string;
  machine_no: string;
  /** When codes were tried that opened nothing; older ones than a minute don't matter. */
  wrong_at: Date[];
  last_at: Date;
}

interface MachineGatewaysTable {
  merchant_id: string;
  /** As of a provider account: secrets only by reference. */
  config: Json<Record<string, unknown>>;
}

interface OrderEventsTable {
  order_id: string;
  seq: number;
  id: string;
  type: string;
  at: Date;
  actor: Json<Actor>;
  data: Json<Record<string, unknown>>;
}

interface PaymentsTable {
  id: string;
  order_id: string;
  merchant_id: string;
  provider: ProviderName;
  method: PaymentMethod;
  out_trade_no: string;
  status: PaymentStatus;
  amount: number;
}

/** What a provider has to be told about whoever opens a payment. */
interface BuyersTable {
  id: string;
  order_id: string;
  /** Sealed. */
  sealed: string;
  created_at: Made;
}

interface RefundsTable {
  id: string;
  number: Generated<number>;
  order_id: string;
  merchant_id: string;
  out_refund_no: string | null;
  status: RefundStatus;
  origin: RefundOrigin;
  amount: number;
  /** As the contract shows it. */
  body: Json<Record<string, unknown>>;
}

interface IdempotencyKeysTable {
  /** Caller, method and path. */
  scope: string;
  key: string;
  body_hash: Buffer;
  /** Null while the first request runs. */
  status: number | null;
  /** Sealed. */
  answer: string | null;
  /** Until then the first request is taken to be running. */
  running_until: Date;
  /** How often a provider's failure was answered: each further try is a new wish to the order. */
  tries: Generated<number>;
  /** The order that the answer is about, so that its personal data can be erased here too. */
  order_id: string | null;
  created_at: Made;
}
