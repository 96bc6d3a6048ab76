import { createHash } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Day } from '../domain/statement-day.ts';
import type { Finding } from '../domain/reconciliation.ts';
import type { Database } from './schema.ts';
import type { Account } from './statements.ts';

/** What a comparison came to: findings that are new or came back, and those that are no more. */
export type Outcome = { found: number; settled: number };

/**
 * Keeps what a comparison of a day found. The same finding again changes nothing; one that a person closed stays closed until one
 * of its sides changes; open ones that were not found again are closed. The comparison looks at all that are open.
 */
export async function keepFindings(
  trx: Transaction<Database>,
  { merchant, provider }: Account,
  { day, findings }: { day: Day; findings: readonly Finding[] },
  now: Date,
): Promise<Outcome> {
  const rows = findings.map(({ outTradeNo, orderId, ...finding }) => ({
    ...finding,
    id: findingId({ merchant, provider }, finding),
    out_trade_no: outTradeNo,
    order_id: orderId,
  }));
  const kept = await sql`
    insert into findings (id, merchant_id, provider, type, reference, kind, out_trade_no, order_id, day, ours, theirs,
      found_at)
    select n.id, ${merchant}, ${provider}, n.type, n.reference, n.kind, n.out_trade_no, n.order_id, n.day, n.ours,
      n.theirs, ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id text, type text, reference text, kind text,
      out_trade_no text, order_id text, day date, ours jsonb, theirs jsonb)
    on conflict (id) do update set kind = excluded.kind, out_trade_no = excluded.out_trade_no,
      order_id = excluded.order_id, day = excluded.day, ours = excluded.ours, theirs = excluded.theirs,
      found_at = excluded.found_at, closed_at = null, closed_by = null, note = null
    where (findings.kind, findings.ours, findings.theirs) <> (excluded.kind, excluded.ours, excluded.theirs)
      or findings.closed_at is not null and findings.closed_by is null
    returning id`.execute(trx);
  const settled = await trx
    .updateTable('findings')
    .set({ closed_at: now, note: 'both sides agree by now' })
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .where('closed_at', 'is', null)
    .where('id', '<>', sql<string>`all(${rows.map(({ id }) => id)}::text[])`)
    .returning('id')
    .execute();
  await trx
    .updateTable('statements')
    .set({ compared_at: now })
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .where('day', '=', day)
    .execute();
  return { found: kept.rows.length, settled: settled.length };
}

/** How many are open. */
export async function countOpen(db: Kysely<Database>, { merchant, provider }: Account): Promise<number> {
  const { count } = await db
    .selectFrom('findings')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .where('closed_at', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}

/** The same for the same entry, whatever is found about it. */
function findingId({ merchant, provider }: Account, { type, reference }: Pick<Finding, 'type' | 'reference'>): string {
  const name = JSON.stringify([merchant, provider, type, reference]);
  return `fnd_${createHash('sha256').update(name).digest('hex').slice(0, 20)}`;
}

export type FindingFilter = {
  merchant?: string;
  closedToo: boolean;
  /** Only those with a smaller number. */
  before?: number;
  limit: number;
};

/** Newest first. */
export function listFindings(db: Kysely<Database>, which: FindingFilter) {
  return db
    .selectFrom('findings as f')
    .leftJoin('orders as o', 'o.id', 'f.order_id')
    .selectAll('f')
    .select('o.number as order_number')
    .$if(which.merchant !== undefined, (query) => query.where('f.merchant_id', '=', which.merchant!))
    .$if(!which.closedToo, (query) => query.where('f.closed_at', 'is', null))
    .$if(which.before !== undefined, (query) => query.where('f.number', '<', which.before!))
    .orderBy('f.number', 'desc')
    .limit(which.limit)
    .execute();
}

/** A person has dealt with it. @returns false if there is no such open finding */
export async function closeFinding(
  db: Kysely<Database>,
  id: string,
  { by, note, now }: { by: string; note: string; now: Date },
): Promise<boolean> {
  const closed = await db
    .updateTable('findings')
    .set({ closed_at: now, closed_by: by, note })
    .where('id', '=', id)
    .where('closed_at', 'is', null)
    .returning('id')
    .execute();
  return closed.length > 0;
}

export type LedgerSum = {
  merchant: string;
  provider: string;
  day: Day;
  currency: string;
  captured: number;
  refunded: number;
  fees: number;
  net: number;
};

/** Per account, day and currency: what came, what went back, what the providers kept. */
export async function ledgerSums(
  db: Kysely<Database>,
  { merchant, from, to }: { merchant?: string; from: Day; to: Day },
): Promise<LedgerSum[]> {
  const { rows } = await sql<LedgerSum>`
    select merchant_id as merchant, provider, day, currency, captured, refunded, fees, captured - refunded - fees as net
    from (
      select merchant_id, provider, day, currency,
        coalesce(sum(amount) filter (where type = 'capture'), 0)::bigint as captured,
        coalesce(sum(amount) filter (where type = 'refund'), 0)::bigint as refunded,
        coalesce(sum(amount) filter (where type = 'fee'), 0)::bigint as fees
      from ledger_with_fees
      where day >= ${from}::date and day <= ${to}::date and merchant_id = coalesce(${merchant ?? null}, merchant_id)
      group by merchant_id, provider, day, currency) s
    order by day, merchant_id, provider, currency`.execute(db);
  return rows;
}
