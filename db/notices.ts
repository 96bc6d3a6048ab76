import { sql, type Kysely } from 'kysely';
import type { ProviderName } from '../domain/method.ts';
import { refundsNumbered, type OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

export type NoticeToRecord = {
  id: string;
  provider: ProviderName;
  merchant: string;
  /** The provider's own number of it. */
  noticeId: string;
  /** Our number of what it is about: of a payment, or of a refund where it names only that. */
  number: { payment: string } | { refund: string };
  /** What it says, verified. */
  body: unknown;
};
/** `id` is that of the first of its kind; `isNew`: this is the first; `order`: null if nothing of ours has its number. */
export type RecordedNotice = { id: string; order: OrderId | null; isNew: boolean; isProcessed: boolean; ageMs: number };

/** Keeps a notice once, however often it comes; looks for its order each time. */
export async function recordNotice(db: Kysely<Database>, notice: NoticeToRecord): Promise<RecordedNotice> {
  const { id, provider, merchant, noticeId, number } = notice;
  const { rows } = await sql<{ id: string; order_id: OrderId | null; processed: boolean; age_ms: number }>`
    insert into notices (id, provider, merchant_id, notice_id, out_trade_no, order_id, body)
    values (${id}, ${provider}, ${merchant}, ${noticeId}, ${'payment' in number ? number.payment : number.refund}, (${orderOf(notice)}), ${JSON.stringify(notice.body)}::jsonb)
    on conflict (provider, merchant_id, notice_id) do update set order_id = coalesce(notices.order_id, excluded.order_id)
    returning id, order_id, processed_at is not null as processed,
      (extract(epoch from now() - received_at) * 1000)::float8 as age_ms`.execute(db);
  const row = rows[0]!;
  return {
    id: row.id,
    order: row.order_id,
    isNew: row.id === id,
    isProcessed: row.processed,
    ageMs: row.age_ms,
  };
}

function orderOf({ provider, merchant, number }: NoticeToRecord) {
  const ours = sql`payments.provider = ${provider} and payments.merchant_id = ${merchant}`;
  if ('payment' in number) return sql`select order_id from payments where ${ours} and out_trade_no = ${number.payment}`;
  return sql`select refunds.order_id from refunds join payments using (order_id)
    where ${ours} and refunds.id = any(${refundsNumbered(number.refund)}) limit 1`;
}
