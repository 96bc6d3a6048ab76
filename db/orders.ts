import { sql, type Kysely, type Selectable } from 'kysely';
import type { OrderEvent } from '../domain/events.ts';
import type { MerchantId, OrderId } from '../domain/ids.ts';
import { blankOrder, openedWith } from '../domain/new-order.ts';
import type { Item, Order } from '../domain/order.ts';
import { codeIsLive } from '../domain/pickup.ts';
import { endpointsTold, outboxRows, toldByCreation } from './outbox.ts';
import { codeTaken, type NewPickupCode } from './pickup.ts';
import { bookOf, eventRows, itemColumns, orderColumns, paymentRows } from './rows.ts';
import type { Channel, Database, OrderDetails, OrderItemsTable, OrdersTable } from './schema.ts';

/** What creating an order needs beside the order itself. */
export type OrderToCreate = {
  order: Order;
  events: readonly OrderEvent[];
  merchantOrderNo: string;
  channel: Channel;
  details: OrderDetails;
  /** Sealed. */
  personal: string | null;
  /** See `customerHash` in api/customer-hash.ts. */
  customerHash: Buffer | null;
  /** Drawn before, where something else already has it in its name; see `nextNumber`. */
  number?: number;
  /** In the order of `order.items`. */
  items: readonly { sku: string | null; name: string; unitAmount: number | null; machineNo: string | null }[];
  pickupCode: NewPickupCode | null;
};

export type StoredItem = Selectable<OrderItemsTable>;
/** An order as the database has it. `order` is how its rules know it. */
export type StoredOrder = {
  order: Order;
  row: Omit<Selectable<OrdersTable>, 'book'>;
  items: StoredItem[];
  /** Its pick-up code, sealed, and that code's number; null where nothing is picked up. */
  pickup: { id: number; code: string } | null;
};

/**
 * Writes a new order, in one statement.
 * @returns its numbers and the endpoints that are to be told, or the id of the merchant's order that has this
 * `merchantOrderNo` (it may be this very one)
 * @throws CodeTaken if another live order of the merchant has this pick-up code; nothing was written
 */
export async function createOrder(
  db: Kysely<Database>,
  created: OrderToCreate,
): Promise<Created | { takenBy: OrderId }> {
  const { order, events } = created;
  const { rows } = await sql<CreatedRow>`
    with doc as materialized (select ${JSON.stringify(documentOf(created))}::jsonb as d),
    made as (
      insert into orders (number, id, merchant_id, merchant_order_no, channel, currency, status, refund_status, attention, total,
        paid, held, refunded, version, book, details, personal, customer_hash, created_at, expires_at)
      overriding system value
      select ${created.number ?? NEXT_NUMBER}, ${order.id}, ${order.merchant}, ${created.merchantOrderNo}, ${created.channel}, ${order.currency}, o.status,
        o.refund_status, o.attention, o.total, o.paid, o.held, o.refunded, o.version, d -> 'book', d -> 'details',
        ${created.personal}, ${created.customerHash}, ${new Date(order.createdAt)}, ${new Date(order.expiresAt)}
      from doc, jsonb_to_record(d -> 'columns') as o(status text, refund_status text, attention boolean, total bigint,
        paid bigint, held bigint, refunded bigint, version int)
      on conflict do nothing returning id, number
    ),
    items as (
      insert into order_items (order_id, position, id, sku, name, quantity, unit_amount, amount, fulfilment, machine_no,
        delivery_timeout_seconds, on_failure, status, arrived, withdrawn, failure_decided, tracking, updated_at,
        arrived_at, restarted_at, to_dispatch, arrived_before, sends)
      select made.id, n.* from made, doc, jsonb_to_recordset(d -> 'items') as n(position int, id text, sku text, name text,
        quantity int, unit_amount bigint, amount bigint, fulfilment text, machine_no text, delivery_timeout_seconds int,
        on_failure text, status text, arrived int, withdrawn int, failure_decided boolean, tracking jsonb, updated_at bigint,
        arrived_at bigint, restarted_at bigint, to_dispatch boolean, arrived_before int, sends int)
      returning position, number
    ),
    ${codeOf(created)},
    payments as (
      insert into payments (id, order_id, merchant_id, provider, method, out_trade_no, status, amount)
      select n.* from made, doc, jsonb_to_recordset(d -> 'payments') as n(id text, order_id text, merchant_id text,
        provider text, method text, out_trade_no text, status text, amount bigint)
    ),
    events as (
      insert into order_events (order_id, seq, id, type, at, actor, data)
      select n.* from made, doc, jsonb_to_recordset(d -> 'events') as n(order_id text, seq int, id text, type text,
        at timestamptz, actor jsonb, data jsonb)
    ),
    ${toldByCreation}
    select made.number, null as taken_by, (select json_agg(items.number order by position) from items) as items,
      (select code.id from code) as code, ${endpointsTold} as endpoints from made
    union all
    select null, o.id, null, null, '{}' from orders o
    where (o.merchant_id = ${order.merchant} and o.merchant_order_no = ${created.merchantOrderNo}) or o.id = ${order.id}`
    .execute(db)
    .catch(codeTaken);
  const row = rows[0];
  // Another transaction may have taken the number after this statement began; it is seen by the next one.
  if (!row) return createOrder(db, { ...created, events });
  if (row.number === null) return { takenBy: row.taken_by! };
  return { numbers: { number: row.number, items: row.items!, code: row.code }, endpoints: row.endpoints };
}

const NEXT_NUMBER = sql`nextval(pg_get_serial_sequence('orders', 'number'))`;

/** The number of an order that is about to be created. */
export async function nextNumber(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ number: number }>`select ${NEXT_NUMBER} as number`.execute(db);
  return rows[0]!.number;
}

/** What the database numbered: the order, its items in their order, its pick-up code. */
export type Numbers = { number: number; items: number[]; code: number | null };
export type Created = { numbers: Numbers; endpoints: string[] };
type CreatedRow = { [Part in keyof Numbers]: Numbers[Part] | null } & { taken_by: OrderId | null; endpoints: string[] };

function codeOf({ order, pickupCode }: OrderToCreate) {
  if (!pickupCode) return sql`code as (select null::bigint as id)`;
  const { hash, code, machineNo } = pickupCode;
  return sql`code as (
      insert into pickup_codes (order_id, merchant_id, hash, code, machine_no, live)
      select made.id, ${order.merchant}, ${hash}, ${code}, ${machineNo}, ${codeIsLive(order)} from made
      returning id
    )`;
}

function documentOf({ order, events, details, items }: OrderToCreate) {
  return {
    columns: orderColumns(order),
    book: bookOf(order),
    details,
    items: order.items.map((item, position) => ({
      ...itemColumns(item, position),
      id: item.id,
      sku: items[position]!.sku,
      name: items[position]!.name,
      quantity: item.quantity,
      unit_amount: items[position]!.unitAmount,
      amount: item.amount,
      fulfilment: item.fulfilment,
      machine_no: items[position]!.machineNo,
      delivery_timeout_seconds: item.deliveryTimeoutSeconds,
      on_failure: item.onFailure,
    })),
    payments: paymentRows(order),
    events: eventRows(order, 0, events),
    outbox: outboxRows(blankOrder(openedWith(order, details.confirm)), events),
  };
}

/** A new order as it would be read from its rows. */
export function storedFrom(created: OrderToCreate, numbers: Numbers): StoredOrder {
  const { order, merchantOrderNo, channel, details, personal, pickupCode, customerHash: customer_hash } = created;
  const { number, code } = numbers;
  const { status, refund_status, attention, total, paid, held, refunded, version } = orderColumns(order);
  const { items } = documentOf(created);
  const times = { created_at: new Date(order.createdAt), expires_at: new Date(order.expiresAt) };
  const sums = { total, paid, held, refunded };
  const saves = { version, base: 0, task: 0, saved_run: null, run_id: null, rolled_up: 0 };
  const doubts = { doubted_at: null, unproven_since: null, unproven_wishes: null };
  const { id, merchant: merchant_id, currency } = order;
  const names = { id, number, merchant_id, merchant_order_no: merchantOrderNo, channel, currency };
  return {
    order,
    row: {
      ...names,
      status,
      refund_status,
      attention,
      ...sums,
      details,
      personal,
      customer_hash,
      ...saves,
      ...doubts,
      ...times,
    },
    items: items.map((item, position) => ({ order_id: id, number: numbers.items[position]!, ...item })),
    pickup: pickupCode && code !== null ? { id: code, code: pickupCode.code } : null,
  };
}

/** @returns null if there is none, or it is another merchant's */
export async function findOrder(
  db: Kysely<Database>,
  id: string,
  merchant: MerchantId | null,
): Promise<StoredOrder | null> {
  const row = await wholeOrders(db)
    .where('id', '=', id)
    .$if(merchant !== null, (query) => query.where('merchant_id', '=', merchant!))
    .executeTakeFirst();
  return row ? storedOrder(row) : null;
}

/** Those that there are, in no order. */
export async function findOrders(db: Kysely<Database>, ids: readonly string[]): Promise<StoredOrder[]> {
  if (ids.length === 0) return [];
  return (await wholeOrders(db).where('id', 'in', ids).execute()).map(storedOrder);
}

/** Rows of orders with their items and pick-up codes. */
const wholeOrders = (db: Kysely<Database>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .select([
      sql<StoredItem[]>`(select json_agg(i order by i.position) from order_items i where i.order_id = orders.id)`.as(
        'items',
      ),
      sql<
        StoredOrder['pickup']
      >`(select json_build_object('id', c.id, 'code', c.code) from pickup_codes c where c.order_id = orders.id)`.as(
        'pickup',
      ),
    ]);

function storedOrder({
  book,
  items,
  pickup,
  ...row
}: Selectable<OrdersTable> & Pick<StoredOrder, 'items' | 'pickup'>): StoredOrder {
  return { order: { ...book, items: items.map(itemOf) }, row, items, pickup };
}

const itemOf = (row: StoredItem): Item => ({
  id: row.id as Item['id'],
  quantity: row.quantity,
  amount: row.amount,
  fulfilment: row.fulfilment,
  deliveryTimeoutSeconds: row.delivery_timeout_seconds,
  onFailure: row.on_failure,
  status: row.status,
  arrived: row.arrived,
  withdrawn: row.withdrawn,
  failureDecided: row.failure_decided,
  tracking: row.tracking,
  updatedAt: row.updated_at,
  arrivedAt: row.arrived_at,
  restartedAt: row.restarted_at,
  toDispatch: row.to_dispatch,
  arrivedBefore: row.arrived_before,
  sends: row.sends,
});

export type OrderFilter = {
  merchant: MerchantId;
  status?: string;
  refundStatus?: string;
  attention?: boolean;
  merchantOrderNo?: string;
  number?: number;
  /** Any of these. */
  customerHashes?: Buffer[];
  createdFrom?: Date;
  createdTo?: Date;
  /** Only orders with a smaller number. */
  before?: number;
  limit: number;
};

/** Newest first; stable while orders are added, since numbers only grow. */
export async function listOrders(db: Kysely<Database>, filter: OrderFilter): Promise<StoredOrder[]> {
  const rows = await wholeOrders(db)
    .where('merchant_id', '=', filter.merchant)
    .$if(filter.status !== undefined, (q) => q.where('status', '=', filter.status as never))
    .$if(filter.refundStatus !== undefined, (q) => q.where('refund_status', '=', filter.refundStatus as never))
    .$if(filter.attention !== undefined, (q) => q.where('attention', '=', filter.attention!))
    .$if(filter.merchantOrderNo !== undefined, (q) => q.where('merchant_order_no', '=', filter.merchantOrderNo!))
    .$if(filter.number !== undefined, (q) => q.where('number', '=', filter.number!))
    .$if(filter.customerHashes !== undefined, (q) => q.where('customer_hash', 'in', filter.customerHashes!))
    .$if(filter.createdFrom !== undefined, (q) => q.where('created_at', '>=', filter.createdFrom!))
    .$if(filter.createdTo !== undefined, (q) => q.where('created_at', '<', filter.createdTo!))
    .$if(filter.before !== undefined, (q) => q.where('number', '<', filter.before!))
    .orderBy('number', 'desc')
    .limit(filter.limit)
    .execute();
  return rows.map(storedOrder);
}

/** Notes that the order's workflow runs. */
export async function markStarted(db: Kysely<Database>, id: OrderId, runId: string): Promise<void> {
  await db.updateTable('orders').set({ run_id: runId }).where('id', '=', id).where('run_id', 'is', null).execute();
}

/** Orders whose workflow a crash has left unstarted, oldest first. */
export async function findUnstarted(db: Kysely<Database>, createdBefore: Date, limit: number): Promise<StoredOrder[]> {
  const ids = await db
    .selectFrom('orders')
    .select('id')
    .where('run_id', 'is', null)
    .where('created_at', '<', createdBefore)
    .orderBy('created_at')
    .limit(limit)
    .execute();
  const found = await Promise.all(ids.map(({ id }) => findOrder(db, id, null)));
  return found.filter((order) => order !== null);
}
