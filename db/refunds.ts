import type { Kysely } from 'kysely';
import type { MerchantId } from '../domain/ids.ts';
import type { RefundStatus } from '../domain/order.ts';
import type { Database } from './schema.ts';

export type RefundFilter = {
  merchant: MerchantId;
  status?: RefundStatus;
  /** Only refunds with a smaller number. */
  before?: number;
  limit: number;
};
/** `body` is as the contract shows it. */
export type StoredRefund = { number: number; order_id: string; body: Record<string, unknown> };

/** Newest first; stable while refunds are added. */
export function listRefunds(db: Kysely<Database>, filter: RefundFilter): Promise<StoredRefund[]> {
  return db
    .selectFrom('refunds')
    .select(['number', 'order_id', 'body'])
    .where('merchant_id', '=', filter.merchant)
    .$if(filter.status !== undefined, (q) => q.where('status', '=', filter.status!))
    .$if(filter.before !== undefined, (q) => q.where('number', '<', filter.before!))
    .orderBy('number', 'desc')
    .limit(filter.limit)
    .execute();
}
