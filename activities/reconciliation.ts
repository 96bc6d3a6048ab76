import { ApplicationFailure } from '@temporalio/common';
import type { Kysely } from 'kysely';
import {
  entriesToCompare,
  keepStatement,
  listAllAccounts,
  lockAccount,
  statementDays,
  type Account,
} from '../db/statements.ts';
import { countOpen, keepFindings } from '../db/findings.ts';
import type { Database } from '../db/schema.ts';
import { dayAfter } from '../domain/day.ts';
import { type Day, statementDayAt, ZONES } from '../domain/statement-day.ts';
import type { ProviderName } from '../domain/method.ts';
import { compare, type StatementLine } from '../domain/reconciliation.ts';
import { isRefusal, ProviderError, type PaymentProvider } from '../providers/provider.ts';
import { asFailure } from './failure.ts';
import type { Deps } from './index.ts';

export type Reconciled = { day: Day; lines: number; found: number; settled: number };
type Books = { db: Kysely<Database>; provider: PaymentProvider; now: () => number };

/**
 * So many days before are read too, once: what a provider asked for before an account was first looked at may have
 * settled since.
 */
const LOOK_BACK_DAYS = 7;
const MOST_DAYS = 31;
const HOUR_MS = 3_600_000;
/**
 * So long after a day its statement is whole. Alipay and UnionPay say the same of a bill that is not made yet (they are
 * made by 10 in the morning) as of a day without sales; PayPal lists a transaction up to three hours later. WeChat Pay
 * says by itself that a bill is not made yet, and Stripe lists at once.
 */
const LISTED_LATE_MS: Partial<Record<ProviderName, number>> = {
  alipay: 10 * HOUR_MS,
  unionpay: 10 * HOUR_MS,
  paypal: 3 * HOUR_MS,
};

/** The newest day whose statement there may be: it is over there, and all of it is listed. */
export const newestDay = (provider: ProviderName, now: number): Day =>
  dayAfter(statementDayAt(provider, now - (LISTED_LATE_MS[provider] ?? 0)), -1);

/** A day that isn't over, or not listed as a whole. The message says until when to wait. */
class DayNotOver extends Error {
  constructor(provider: ProviderName, day: Day) {
    super(`${day} is not over at ${provider} (${ZONES[provider]}), or not all of it is listed yet`);
  }
}

/**
 * Reads the statements of a day and of the one before, which may have been late, and compares them with the ledger. A
 * second time it changes nothing, unless a side has changed.
 * @throws ProviderError, DayNotOver
 */
export async function reconcile({ db, provider, now }: Books, account: Account, day: Day): Promise<Reconciled> {
  if (day > newestDay(account.provider, now())) throw new DayNotOver(account.provider, day);
  const read = async (each: Day): Promise<number> => {
    const statement = await provider.statement(each);
    await keepStatement(db, account, each, withOwnIds(statement), new Date(now()));
    return statement.length;
  };
  const before = dayAfter(day, -1);
  const known = await statementDays(db, account, 'read');
  const earlier = Array.from({ length: LOOK_BACK_DAYS - 1 }, (_, index) => dayAfter(day, index - LOOK_BACK_DAYS));
  for (const each of earlier.filter((one) => !known.has(one))) await read(each).catch(leaveUnread);
  await read(before);
  const lines = await read(day);
  return { day, lines, ...(await judge(db, account, { before, day }, new Date(now()))) };
}

/** An earlier day that its provider doesn't give (any more) is left as it stands. @throws any trouble of our own */
function leaveUnread(error: unknown): void {
  if (!(error instanceof ProviderError)) throw error;
}

const judge = (db: Kysely<Database>, account: Account, { before, day }: { before: Day; day: Day }, now: Date) =>
  db.transaction().execute(async (trx) => {
    await lockAccount(trx, account);
    const entries = await entriesToCompare(trx, account, before, day);
    const read = await statementDays(trx, account, 'read');
    const findings = compare(entries, { provider: account.provider, read });
    return keepFindings(trx, account, { day, findings }, now);
  });

/** A line that stands there twice is two lines: that is to be found. */
function withOwnIds(lines: readonly StatementLine[]): StatementLine[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const times = (seen.get(line.id) ?? 0) + 1;
    seen.set(line.id, times);
    return times === 1 ? line : { ...line, id: `${line.id}#${times}` };
  });
}

/** Every day of the last month that was not compared since the first that was; the newest again where there is none. */
export async function daysDue(db: Kysely<Database>, account: Account, now: number): Promise<Day[]> {
  const newest = newestDay(account.provider, now);
  const compared = await statementDays(db, account, 'compared');
  const month = Array.from({ length: MOST_DAYS }, (_, index) => dayAfter(newest, index + 1 - MOST_DAYS));
  const due = month.filter((day) => !compared.has(day) && [...compared].some((one) => one < day));
  return due.length === 0 ? [newest] : due;
}

/**
 * Compares each day by itself: one whose statement is not to be had holds up no other.
 * @param told of each day that was compared
 * @throws the last error, when all were tried; of a refusal and another the other, which may pass
 */
export async function reconcileDays(
  books: Books,
  account: Account,
  days: readonly Day[],
  told: (done: Reconciled) => void,
): Promise<void> {
  const errors: unknown[] = [];
  for (const day of days)
    try {
      told(await reconcile(books, account, day));
    } catch (error) {
      errors.push(error);
    }
  if (errors.length > 0) throw errors.findLast((error) => !isRefusal(error)) ?? errors.at(-1);
}

export function reconciliationActivities({ db, provider, now, log }: Deps) {
  return {
    listAccounts: (): Promise<Account[]> => listAllAccounts(db),

    /** Every day that is due; what was not to be had is tried again, but for refusals. @returns how many findings are open */
    reconcileAccount: async (account: Account): Promise<number> => {
      const books = { db, now, provider: await provider(account.merchant, account.provider) };
      const told = (done: Reconciled) =>
        log[done.found > 0 ? 'warn' : 'info']({ ...account, ...done }, 'compared the ledger with a statement');
      try {
        await reconcileDays(books, account, await daysDue(db, account, now()), told);
      } catch (error) {
        throw isRefusal(error) ? ApplicationFailure.nonRetryable(error.message, 'refused') : asFailure(error);
      }
      return countOpen(db, account);
    },
  };
}
