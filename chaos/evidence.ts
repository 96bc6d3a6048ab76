/** Everything that anybody knows of the orders: we, the providers, the merchant, the workflows. */
import { sql, type Kysely } from 'kysely';
import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { Event as EventSchema, OrderBody } from '../api/schemas.ts';
import type { Database } from '../db/schema.ts';
import type { OrderId } from '../domain/ids.ts';
import type { OrderView } from '../domain/view.ts';
import { orderQuery, orderWorkflowId, timelineQuery } from '../workflows/messages.ts';
import { inTurns } from './in-turns.ts';
import type { Plan } from './plan.ts';
import type { Message, Receiver } from './receiver.ts';
import type { Shop } from './shop.ts';
import type { BookEntry, Dispensed, PaymentThere, Simulator } from './simulator.ts';

export type Event = z.infer<typeof EventSchema>;
/** Money that moved; amounts in minor units. */
export type Money = Pick<BookEntry, 'provider' | 'out_trade_no' | 'type' | 'amount' | 'currency'>;
/** A row of our ledger. `reference`: the provider's number of a payment, ours of a refund. */
export type Booked = Money & { reference: string };

export type OrderEvidence = {
  /** In the end people saw to what waited for them: nothing of it should wait any more. */
  isLookedAfter: boolean;
  /** As the API shows it, and as it does when it asks the workflow. */
  order: OrderBody;
  live: OrderBody;
  events: Event[];
  /** The workflow's own answers; null: there is no answer. */
  queried: { order: OrderView; timeline: { seq: number; type: string }[] } | null;
  /** What the merchant was told. */
  messages: Message[];
  ledger: Booked[];
  books: Money[];
  paymentsThere: PaymentThere[];
  dispensed: Dispensed[];
};

export type Evidence = {
  orders: OrderEvidence[];
  /** At the providers, of no order of ours. */
  strayMoney: Money[];
};

export type Sources = {
  shop: Shop;
  simulator: Simulator;
  receiver: Receiver;
  db: Kysely<Database>;
  temporal: Client;
  plans: readonly Plan[];
};

const AT_ONCE = 8;
const MOST_TRIES = 5;

export async function gather(sources: Sources): Promise<Evidence> {
  const { shop, simulator, plans } = sources;
  const [all, books, paymentsThere] = await Promise.all([listOrders(shop), simulator.books(), simulator.payments()]);
  const known = new Set(all.flatMap(({ payments }) => payments.map(({ out_trade_no }) => out_trade_no)));
  const lookedAfter = new Set(plans.flatMap((plan) => (plan.isLookedAfter ? plan.order.merchant_order_no : [])));
  const orders = await inTurns(all, AT_ONCE, async (order): Promise<OrderEvidence> => {
    const numbers = new Set(order.payments.map(({ out_trade_no }) => out_trade_no));
    const isItsOwn = ({ out_trade_no }: { out_trade_no: string }) => numbers.has(out_trade_no);
    return {
      isLookedAfter: lookedAfter.has(order.merchant_order_no),
      ...(await ourSide(sources, order)),
      books: books.filter(isItsOwn).map(moneyIn),
      paymentsThere: paymentsThere.filter(isItsOwn),
      dispensed: await trayOf(simulator, order),
    };
  });
  return { orders, strayMoney: books.filter(({ out_trade_no }) => !known.has(out_trade_no)).map(moneyIn) };
}

type OurSide = Pick<OrderEvidence, 'order' | 'live' | 'events' | 'queried' | 'messages' | 'ledger'>;

/** At one version: an order that rests asks once more, minutes later, about attempts that nobody could close. */
async function ourSide({ shop, receiver, db, temporal }: Sources, { id }: OrderBody): Promise<OurSide> {
  const read = async (how = '') => (await shop.call<OrderBody>(`GET /v1/orders/${id}${how}`)).body;
  for (let tries = 1; ; tries++) {
    const order = await read();
    const side = {
      order,
      live: await read('?live=true'),
      events: await listAll<Event>(shop, `/v1/orders/${id}/events`),
      queried: await query(temporal, order),
      messages: receiver.of(id),
      ledger: await ledgerOf(db, id),
    };
    if ((await read()).version === order.version || tries === MOST_TRIES) return side;
  }
}

async function ledgerOf(db: Kysely<Database>, id: string): Promise<Booked[]> {
  const rows = await db.selectFrom('ledger').selectAll().where('order_id', '=', id).execute();
  return rows.map((row) => ({ ...moneyIn(row), reference: row.reference }));
}

export const moneyIn = ({ provider, out_trade_no, type, amount, currency }: Money): Money => ({
  provider,
  out_trade_no,
  type,
  amount,
  currency,
});

/** All of them, newest first. */
export const listOrders = (shop: Shop): Promise<OrderBody[]> => listAll<OrderBody>(shop, '/v1/orders');

async function listAll<T>(shop: Shop, path: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: string = cursor === '' ? 'limit=100' : `limit=100&cursor=${cursor}`;
    const { body } = await shop.call<{ data: T[]; next_cursor: string | null }>(`GET ${path}?${query}`);
    all.push(...body.data);
    cursor = body.next_cursor;
  }
  return all;
}

async function query(temporal: Client, { id, workflow }: OrderBody): Promise<OrderEvidence['queried']> {
  if (!workflow?.run_id) return null;
  const handle = temporal.workflow.getHandle(orderWorkflowId(id as OrderId));
  try {
    return { order: await handle.query(orderQuery), timeline: await handle.query(timelineQuery) };
  } catch {
    return null;
  }
}

export async function trayOf(simulator: Simulator, { id, items }: OrderBody): Promise<Dispensed[]> {
  const machines = new Set(
    items.flatMap(({ fulfilment, machine_no: no }) => (fulfilment === 'machine' && no ? [no] : [])),
  );
  const trays = await Promise.all([...machines].map((machine) => simulator.tray(machine)));
  return trays.flat().filter(({ order }) => order === id);
}

/** How many orders may have lost what they granted: see db/doubts.ts. */
export async function countUnproven(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('orders')
    .select(sql<number>`count(*)`.as('count'))
    .where('unproven_since', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** How many messages have not been taken by the merchant yet. */
export async function countUntold(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('notifications')
    .select(sql<number>`count(*)`.as('count'))
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow();
  return Number(count);
}
