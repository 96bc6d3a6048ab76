import type { Kysely } from 'kysely';
import { reconcile } from '../activities/reconciliation.ts';
import { countOpen, listFindings } from '../db/findings.ts';
import { findProviderAccount } from '../db/merchants.ts';
import type { Database } from '../db/schema.ts';
import { listAllAccounts, type Account } from '../db/statements.ts';
import { dayAfter } from '../domain/day.ts';
import { type Day, statementDayAt } from '../domain/statement-day.ts';
import { providerAccounts, type FindProvider } from '../providers/accounts.ts';
import type { Finding } from './compare.ts';
import type { Simulator } from './simulator.ts';

type Books = {
  simulator: Simulator;
  db: Kysely<Database>;
  /** Of the run; epoch milliseconds. */
  startedAt: number;
};

const DAY_MS = 86_400_000;
/** By then every provider has the day after the run in its statements. */
const LATER_MS = 3 * DAY_MS;
/** So many are told one by one. */
const MOST_FINDINGS = 1_000;

/** What the system's own reconciliation says of the days of a run, some days later; said again, it must be the same. */
export async function statementFindings({ simulator, db, startedAt }: Books): Promise<Finding[]> {
  await simulator.statementsEarly();
  const find = providerAccounts((...names) => findProviderAccount(db, ...names), {});
  const accounts = await listAllAccounts(db);
  for (const account of accounts) await compareDays(db, find, account, startedAt);
  const open = await listFindings(db, { closedToo: false, limit: MOST_FINDINGS });
  const counts = await Promise.all(accounts.map((account) => countOpen(db, account)));
  const untold = counts.reduce((sum, count) => sum + count, 0) - open.length;
  const changed: string[] = [];
  for (const account of accounts) {
    const { found, settled } = await compareDays(db, find, account, startedAt);
    if (found + settled > 0) changed.push(`${account.provider}, compared again: ${found} found, ${settled} settled`);
  }
  return [
    ...open.map(({ order_id: order, ...one }) => ({ order, what: findingInWords(one) })),
    ...(untold > 0 ? [{ order: null, what: `${untold} more` }] : []),
    ...changed.map((what) => ({ order: null, what })),
  ].map((found) => ({ kind: 'ledger and statements', ...found }));
}

type Open = Omit<Awaited<ReturnType<typeof listFindings>>[number], 'order_id'>;

function findingInWords({ kind, type, reference, provider, out_trade_no: number, ours, theirs }: Open): string {
  const what = `${type} ${reference}${number === null ? '' : ` of ${number}`}`;
  return `${kind}: ${what} at ${provider}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`;
}

async function compareDays(db: Kysely<Database>, find: FindProvider, account: Account, startedAt: number) {
  const provider = (await find(account.merchant, account.provider))!;
  const now = () => Date.now() + LATER_MS;
  const outcome = { found: 0, settled: 0 };
  for (const day of daysToCompare(account, startedAt)) {
    const { found, settled } = await reconcile({ db, provider, now }, account, day);
    outcome.found += found;
    outcome.settled += settled;
  }
  return outcome;
}

/** From the day after the first on, to the day after today: each comparison reads the day before, too. */
function daysToCompare({ provider }: Account, startedAt: number): Day[] {
  const last = dayAfter(statementDayAt(provider, Date.now()));
  const days: Day[] = [];
  for (let day = dayAfter(statementDayAt(provider, startedAt)); day <= last; day = dayAfter(day)) days.push(day);
  return days;
}
