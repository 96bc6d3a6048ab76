import { sql, type Kysely, type Transaction } from 'kysely';
import { dayAfter } from '../domain/day.ts';
import { type Day, startOfStatement } from '../domain/statement-day.ts';
import type { ProviderName } from '../domain/method.ts';
import type { Booked, Stated, StatementLine } from '../domain/reconciliation.ts';
import type { Database } from './schema.ts';

/** A merchant's account at a provider. */
export type Account = { merchant: string; provider: ProviderName };

export async function listAllAccounts(db: Kysely<Database>): Promise<Account[]> {
  const rows = await db
    .selectFrom('provider_accounts')
    .select(['merchant_id as merchant', 'provider'])
    .orderBy('merchant_id')
    .orderBy('provider')
    .execute();
  return rows;
}

/** The days whose statements were read; `compared`: only those that were compared, too. */
export async function statementDays(
  db: Kysely<Database>,
  { merchant, provider }: Account,
  which: 'read' | 'compared',
): Promise<Set<Day>> {
  const rows = await db
    .selectFrom('statements')
    .select('day')
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .$if(which === 'compared', (query) => query.where('compared_at', 'is not', null))
    .execute();
  return new Set(rows.map(({ day }) => day));
}

/** Until the transaction ends nobody else compares this account, who would close findings that are made meanwhile. */
export async function lockAccount(trx: Transaction<Database>, { merchant, provider }: Account): Promise<void> {
  await trx
    .selectFrom('provider_accounts')
    .select('provider')
    .where('merchant_id', '=', merchant)
    .where('provider', '=', provider)
    .forNoKeyUpdate()
    .execute();
}

const LINES_AT_ONCE = 2_000;

/** Keeps what a statement says now; lines that it had before and has no more are forgotten. */
export async function keepStatement(
  db: Kysely<Database>,
  { merchant, provider }: Account,
  day: Day,
  lines: readonly StatementLine[],
  readAt: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('statement_lines')
      .where('merchant_id', '=', merchant)
      .where('provider', '=', provider)
      .where('day', '=', day)
      .where('id', '<>', sql<string>`all(${lines.map(({ id }) => id)}::text[])`)
      .execute();
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE)
      await putLines(trx, { merchant, provider }, day, lines.slice(from, from + LINES_AT_ONCE));
    const statement = { lines: lines.length, read_at: readAt };
    await trx
      .insertInto('statements')
      .values({ merchant_id: merchant, provider, day, ...statement })
      .onConflict((conflict) => conflict.columns(['merchant_id', 'provider', 'day']).doUpdateSet(statement))
      .execute();
  });
}

async function putLines(
  db: Kysely<Database>,
  { merchant, provider }: Account,
  day: Day,
  lines: readonly StatementLine[],
): Promise<void> {
  const rows = lines.map(({ outTradeNo, feeCurrency, isSettled, at, ...line }) => ({
    ...line,
    out_trade_no: outTradeNo,
    fee_currency: feeCurrency,
    is_settled: isSettled,
    at: at === null ? null : new Date(at).toISOString(),
  }));
  await sql`
    insert into statement_lines (merchant_id, provider, day, id, type, reference, out_trade_no, amount, currency, fee,
      fee_currency, is_settled, at)
    select ${merchant}, ${provider}, ${day}::date, n.id, n.type, n.reference, n.out_trade_no, n.amount, n.currency, n.fee,
      n.fee_currency, n.is_settled, n.at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(id text, type text, reference text, out_trade_no text,
      amount bigint, currency text, fee bigint, fee_currency text, is_settled boolean, at timestamptz)
    on conflict (merchant_id, provider, id) do update set day = excluded.day, type = excluded.type,
      reference = excluded.reference, out_trade_no = excluded.out_trade_no, amount = excluded.amount,
      currency = excluded.currency, fee = excluded.fee, fee_currency = excluded.fee_currency,
      is_settled = excluded.is_settled, at = excluded.at`.execute(db);
}

/** How long a line that is not settled is looked at again. */
const UNDER_WAY_DAYS = 31;

/**
 * What a comparison of `from` to `until` needs: our entries and the statements' lines of those days, those of findings
 * that are open, and on both sides whatever belongs to them, of whatever day. A number is looked for among all
 * merchants' entries, since two of them may share an account.
 */
export async function entriesToCompare(
  db: Kysely<Database>,
  account: Account,
  from: Day,
  until: Day,
): Promise<{ booked: Booked[]; stated: Stated[] }> {
  const stated = await linesToCompare(db, account, from, until);
  return { booked: await bookingsToCompare(db, account, from, until, stated), stated };
}

const openFindings = ({ merchant, provider }: Account) => sql`
  select type, reference from findings
  where merchant_id = ${merchant} and provider = ${provider} and closed_at is null`;

/** Our own entries of those days. */
const ownEntries = ({ merchant, provider }: Account, from: Day, until: Day) => sql`
  l.merchant_id = ${merchant} and l.provider = ${provider}
    and (l.at >= ${new Date(startOfStatement(provider, from))} and l.at < ${new Date(startOfStatement(provider, dayAfter(until)))}
      or (l.type, l.reference) in (${openFindings({ merchant, provider })}))`;

async function linesToCompare(db: Kysely<Database>, account: Account, from: Day, until: Day): Promise<Stated[]> {
  const { merchant, provider } = account;
  const { rows } = await sql<Stated>`
    with own as (select reference, out_trade_no from ledger l where ${ownEntries(account, from, until)}),
      lines as (
        select s.*, day >= ${from}::date and day <= ${until}::date
            or not is_settled and day > ${dayAfter(until, -UNDER_WAY_DAYS)}::date and day <= ${until}::date
            or (type, reference) in (${openFindings(account)}) as is_judged
        from statement_lines s where merchant_id = ${merchant} and provider = ${provider})
    select type, reference, out_trade_no as "outTradeNo", amount, currency, day, is_settled as "isSettled",
      is_judged as "isJudged"
    from lines where is_judged or reference in (select reference from own)
      or out_trade_no in (select out_trade_no from own)`.execute(db);
  return rows;
}

async function bookingsToCompare(
  db: Kysely<Database>,
  account: Account,
  from: Day,
  until: Day,
  stated: readonly Stated[],
): Promise<Booked[]> {
  const references = stated.map(({ reference }) => reference);
  const payments = stated.flatMap(({ outTradeNo }) => outTradeNo ?? []);
  const { rows } = await sql<Omit<Booked, 'at'> & { at: Date }>`
    with found as (
      select l.*, ${ownEntries(account, from, until)} as is_judged from ledger l where provider = ${account.provider}
        and (reference = any(${references}::text[]) or out_trade_no = any(${payments}::text[])
          or ${ownEntries(account, from, until)}))
    select type, reference, out_trade_no as "outTradeNo", amount, currency, order_id as "orderId",
      merchant_id = ${account.merchant} as "isOwn", at, is_judged as "isJudged" from found`.execute(db);
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}
