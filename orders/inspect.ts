import type { Command } from 'commander';
import { listEvents } from '../db/events.ts';
import { findOrder, type StoredOrder } from '../db/orders.ts';
import { attentionOf, ATTENTION_CODES } from '../domain/attention.ts';
import { LIMITS } from '../domain/limits.ts';
import { view } from '../domain/view.ts';
import { withDatabase } from './database.ts';
import { orderNamed } from './named.ts';
import type { Answer } from './output.ts';
import type { Answering } from './program.ts';

/** What can be seen of orders: one with its timeline, refunds that wait, and what needs a person. No personal data. */
export function inspectCommands(parent: Command, answering: Answering): void {
  parent
    .command('order')
    .description('one order')
    .command('show <number-or-id>')
    .description('how it stands, and its timeline')
    .action(answering(showOrder));
  parent
    .command('refunds')
    .description('refund applications that nobody has decided, oldest first')
    .action(answering(waitingRefunds));
  parent
    .command('attention')
    .description('orders that need a person, and what to do')
    .action(answering(needingAttention));
}

const showOrder = (named: string): Promise<Answer> =>
  withDatabase(async (db) => {
    const { order, row } = await orderNamed(db, named);
    const events = await listEvents(db, order.id, { after: 0, limit: LIMITS.timelineShown });
    const shown = view(order);
    const { paid, refunded, total } = shown.amounts;
    const lines = [
      `Order ${row.number}, ${order.id}, ${row.merchant_order_no} of ${row.merchant_id}`,
      `${shown.status}; ${order.currency} ${total} in minor units, paid ${paid}, refunded ${refunded} (${shown.refund_status})`,
      ...shown.attention.map(({ code, since }) => `! ${code} since ${since}: ${ATTENTION_CODES[code]}`),
      '',
      ...events.map(({ seq, at, type, actor, data }) =>
        [String(seq).padStart(4), at.toISOString(), type, actor.name ?? actor.type, JSON.stringify(data)].join('  '),
      ),
    ];
    return { text: lines.join('\n'), data: { number: row.number, ...shown, events } };
  });

const waitingRefunds = (): Promise<Answer> =>
  withDatabase(async (db) => ({
    rows: await db
      .selectFrom('refunds as r')
      .innerJoin('orders as o', 'o.id', 'r.order_id')
      .select(['r.id', 'r.merchant_id as merchant', 'o.number as order', 'o.currency', 'r.amount', 'r.origin'])
      .where('r.status', '=', 'requested')
      .orderBy('r.number')
      .limit(LIMITS.pageSize)
      .execute(),
    none: 'No refund waits for a decision.',
  }));

const needingAttention = (): Promise<Answer> =>
  withDatabase(async (db) => {
    const rows = await db
      .selectFrom('orders')
      .select(['id'])
      .where('attention', '=', true)
      .orderBy('number')
      .limit(LIMITS.pageSize)
      .execute();
    const orders = await Promise.all(rows.map(({ id }) => findOrder(db, id, null)));
    return {
      rows: orders.flatMap((stored) => (stored ? troublesOf(stored) : [])),
      none: 'Nothing needs a person.',
    };
  });

const troublesOf = ({ order, row }: StoredOrder) =>
  attentionOf(order).map(({ code, since }) => ({
    order: row.number,
    merchant: row.merchant_id,
    code,
    since: new Date(since),
    what_to_do: ATTENTION_CODES[code],
  }));
