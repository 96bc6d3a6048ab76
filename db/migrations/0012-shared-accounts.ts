import { sql, type Kysely } from 'kysely';

/**
 * Merchants who share an account each keep all its statement's lines: the fee of an order belongs to its merchant alone.
 * Only the last line is new.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create or replace view ledger_with_fees as
        select merchant_id, provider, order_id, type, reference, out_trade_no, amount, currency,
          (at at time zone case when provider in ('stripe', 'paypal') then 'UTC' else 'Asia/Shanghai' end)::date as day
        from ledger
        union all
        select s.merchant_id, s.provider, l.order_id, 'fee', s.reference, s.out_trade_no, s.fee, s.fee_currency, s.day
        from statement_lines s left join ledger l
          on l.provider = s.provider and l.type = s.type and l.reference = s.reference
        where s.fee <> 0 and (l.merchant_id is null or l.merchant_id = s.merchant_id)`,
    )
    .execute(db);
}
