import { sql, type Kysely, type Transaction } from 'kysely';
import { isSettled } from '../domain/duties.ts';
import type { Order } from '../domain/order.ts';
import { findOrder } from './orders.ts';
import { bookOf, refundRows } from './rows.ts';
import type { Database } from './schema.ts';

/** Free text of people about an order. Amounts, times, numbers and who decided stay: the books need them. */
const withoutWords = (order: Order): Order => ({
  ...order,
  review: order.review && { ...order.review, comment: null },
  refunds: order.refunds.map((refund) => ({ ...refund, reason: null, note: null })),
});

/**
 * Erases the personal data of an order at its end: name, phone, address, customer, and what people wrote about it, in
 * its rows, events, refunds and messages. Kept answers are opened by `strip` and sealed again.
 * @returns false if the order has not come to its end: its workflow would write what was erased again
 */
export function erasePersonalData(
  db: Kysely<Database>,
  id: string,
  { now, strip }: { now: Date; strip: (row: { scope: string; key: string; answer: string }) => string },
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await trx.selectFrom('orders').select('id').where('id', '=', id).forUpdate().execute();
    const stored = await findOrder(trx, id, null);
    if (!stored || !isSettled(stored.order)) return false;
    const order = withoutWords(stored.order);
    const details = stored.row.details;
    await trx
      .updateTable('orders')
      .set({
        personal: null,
        customer_hash: null,
        book: JSON.stringify(bookOf(order)),
        details: JSON.stringify({ ...details, erased_at: details.erased_at ?? now.toISOString() }),
      })
      .where('id', '=', id)
      .execute();
    await trx.deleteFrom('buyers').where('order_id', '=', id).execute();
    await trx.updateTable('course_orders').set({ third_buyer_id: null }).where('order_id', '=', id).execute();
    await eraseWords(trx, order);
    await eraseAnswers(trx, id, strip);
    return true;
  });
}

async function eraseWords(trx: Transaction<Database>, order: Order): Promise<void> {
  for (const { id, body } of refundRows(order))
    await trx
      .updateTable('refunds')
      .set({ body: JSON.stringify(body) })
      .where('id', '=', id)
      .execute();
  await sql`
    update order_events set data = data || (
      select coalesce(jsonb_object_agg(word, null), '{}') from unnest(array['comment', 'note', 'detail']) as word
      where data ? word)
    where order_id = ${order.id} and data ?| array['comment', 'note', 'detail']`.execute(trx);
  await sql`
    update outbox set body = jsonb_set(
      case when body -> 'review' is null or body -> 'review' = 'null' then body
        else jsonb_set(body, '{review,comment}', 'null') end,
      '{refunds}', coalesce((
        select jsonb_agg(refund || '{"reason": null, "note": null}' order by place)
        from jsonb_array_elements(body -> 'refunds') with ordinality as r(refund, place)), '[]'))
    where order_id = ${order.id}`.execute(trx);
  await trx.updateTable('notifications').set({ body: null }).where('order_id', '=', order.id).execute();
}

async function eraseAnswers(
  trx: Transaction<Database>,
  order: string,
  strip: (row: { scope: string; key: string; answer: string }) => string,
): Promise<void> {
  const rows = await trx
    .selectFrom('idempotency_keys')
    .select(['scope', 'key', 'answer'])
    .where('order_id', '=', order)
    .where('answer', 'is not', null)
    .execute();
  for (const { scope, key, answer } of rows)
    await trx
      .updateTable('idempotency_keys')
      .set({ answer: strip({ scope, key, answer: answer! }) })
      .where('scope', '=', scope)
      .where('key', '=', key)
      .execute();
}
