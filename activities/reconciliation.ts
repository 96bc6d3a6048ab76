import type { Kysely } from 'kysely';
import {
  daysRead,
  entriesToCompare,
  keepStatement,
  lastDayCompared,
  listAllAccounts,
  type Account,
} from '../db/statements.ts';
import { countOpen, keepFindings } from '../db/findings.ts';
import type { Database } from '../db/schema.ts';
import { dayAfter } from '../domain/day.ts';
import { type Day, statementDayAt, ZONES } from '../domain/statement-day.ts';
import type { ProviderName } from '../domain/method.ts';
import { compare, type StatementLine } from '../domain/reconciliation.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import { calling } from './failure.ts';
import type { Deps } from './index.ts';

export type Reconciled = { day: Day; lines: number; found: number; settled: number };
type Books = { db: Kysely<Database>; provider: PaymentProvider; now: () => number };

/**
 * So many days before are read too, once: what a provider asked for before an account was first looked at may have
 * settled since.
 */
const LOOK_BACK_DAYS = 7;
const MOST_DAYS = 31;
/** PayPal lists a transaction up to three hours later. The others say by themselves that a bill is not made yet. */
const LISTED_LATE_MS: Partial<Record<ProviderName, number>> = { paypal: 3 * 3_600_000 };

/** The newest day whose statement there may be: it is over there, and all of it is listed. */
export const newestDay = (provider: ProviderName, now: number): Day =>
  dayAfter(statementDayAt(provider, now - (LISTED_LATE_MS[provider] ?? 0)), -1);

/** A day that isn't over, or not listed as a whole. The message says until when to wait. */
export class DayNotOver extends Error {
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
  const before = dayAfter(day, -1);
  const known = await daysRead(db, account, dayAfter(day, -LOOK_BACK_DAYS), dayAfter(before, -1));
  const unread = Array.from({ length: LOOK_BACK_DAYS - 1 }, (_, index) => dayAfter(day, index - LOOK_BACK_DAYS));
  let lines = 0;
  for (const each of [...unread.filter((one) => !known.has(one)), before, day]) {
    const statement = await provider.statement(each);
    await keepStatement(db, account, each, withOwnIds(statement), new Date(now()));
    lines = statement.length;
  }
  const entries = await entriesToCompare(db, account, before, day);
  const findings = compare(entries, { provider: account.provider, until: day });
  return { day, lines, ...(await keepFindings(db, account, { day, findings }, new Date(now()))) };
}

/** A line that stands there twice is two lines: that is to be found. */
function withOwnIds(lines: readonly StatementLine[]): StatementLine[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const times = (seen.get(line.id) ?? 0) + 1;
    seen.set(line.id, times);
    return times === 1 ? line : { ...line, id: `${line.id}#${times}` };
  });
}

/** From the first day that was not compared to the newest; the newest again where there is none. At most a month. */
export async function daysDue(db: Kysely<Database>, account: Account, now: number): Promise<Day[]> {
  const newest = newestDay(account.provider, now);
  const last = await lastDayCompared(db, account);
  if (last === null || last >= newest) return [newest];
  const days: Day[] = [];
  for (let day = newest; day > last && days.length < MOST_DAYS; day = dayAfter(day, -1)) days.unshift(day);
  return days;
}

export function reconciliationActivities({ db, provider, now, log }: Deps) {
  return {
    listAccounts: (): Promise<Account[]> => listAllAccounts(db),

    /** Every day that is due; what was not to be had is tried again. @returns how many findings are open */
    reconcileAccount: async (account: Account): Promise<number> => {
      const books = { db, now, provider: await provider(account.merchant, account.provider) };
      for (const day of await daysDue(db, account, now())) {
        const { lines, found, settled } = await calling(() => reconcile(books, account, day));
        const level = found > 0 ? 'warn' : 'info';
        log[level]({ ...account, day, lines, found, settled }, 'compared the ledger with a statement');
      }
      return countOpen(db, account);
    },
  };
}
