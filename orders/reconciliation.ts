import type { Kysely } from 'kysely';
import type { Command } from 'commander';
import { daysDue, reconcileDays, type Reconciled } from '../activities/reconciliation.ts';
import { closeFinding, ledgerSums, listFindings } from '../db/findings.ts';
import { findProviderAccount } from '../db/merchants.ts';
import type { Database } from '../db/schema.ts';
import { listAllAccounts, type Account } from '../db/statements.ts';
import { dayAfter, isDay } from '../domain/day.ts';
import type { Day } from '../domain/statement-day.ts';
import { LIMITS } from '../domain/limits.ts';
import { decimalAmount, type Money } from '../domain/money.ts';
import { providerAccounts } from '../providers/accounts.ts';
import { StartError } from '../start/failure.ts';
import { withDatabase } from './database.ts';
import { UsageError, type Answer } from './output.ts';
import type { Answering } from './program.ts';

/** `reconcile`, `findings …`, `ledger`: whether our ledger is what the providers say, and what it adds up to. */
export function reconciliationCommands(parent: Command, answering: Answering): void {
  parent
    .command('reconcile')
    .description("compares the ledger with the providers' statements, now; changes nothing if repeated")
    .option('--merchant <id>', 'of this merchant only')
    .option('--provider <name>', 'at this provider only')
    .option('--day <yyyy-mm-dd>', 'this day; by default every one that was not compared yet', dayNamed)
    .action(answering(compareNow));
  const findings = parent.command('findings').description('where ledger and statements do not agree');
  findings
    .command('list', { isDefault: true })
    .description('those that are open, newest first')
    .option('--merchant <id>', 'of this merchant only')
    .option('--all', 'closed ones too')
    .action(answering(list));
  findings
    .command('close <id>')
    .description('it has been dealt with: it stays closed until one of its sides changes')
    .requiredOption('--by <name>', 'who')
    .requiredOption('--note <text>', 'what was done about it')
    .action(answering(close));
  parent
    .command('ledger')
    .description("captures, refunds and providers' fees per account, day and currency, in minor units")
    .option('--merchant <id>', 'of this merchant only')
    .option('--from <yyyy-mm-dd>', 'first day; by default 30 days before the last', dayNamed)
    .option('--to <yyyy-mm-dd>', 'last day; by default up to now', dayNamed)
    .action(answering(sums));
}

type Which = { merchant?: string; provider?: string; day?: Day };

const compareNow = (which: Which): Promise<Answer> =>
  withDatabase(async (db) => {
    const accounts = (await listAllAccounts(db)).filter(
      ({ merchant, provider }) =>
        (which.merchant ?? merchant) === merchant && (which.provider ?? provider) === provider,
    );
    if (accounts.length === 0) throw new UsageError('There is no such account; see `account list <merchant>`.');
    const [rows, troubles]: [Row[], string[]] = [[], []];
    for (const account of accounts)
      try {
        await compareAccount(db, account, which.day, (done) => rows.push({ ...account, ...done }));
      } catch (error) {
        troubles.push(`${account.merchant} at ${account.provider}: ${(error as Error).message}`);
      }
    if (troubles.length === 0) return { rows, none: 'Nothing to compare.' };
    const done = rows.length === 0 ? '' : `\n${rows.length} statements were compared; see \`findings\`.`;
    throw new StartError(`No comparison:\n${troubles.join('\n')}${done}`);
  });

type Row = Account & Reconciled;

async function compareAccount(
  db: Kysely<Database>,
  account: Account,
  day: Day | undefined,
  told: (done: Reconciled) => void,
): Promise<void> {
  const { merchant, provider: name } = account;
  const find = providerAccounts((...names) => findProviderAccount(db, ...names), process.env);
  const provider = await find(merchant, name);
  if (!provider) return;
  const days = day === undefined ? await daysDue(db, account, Date.now()) : [day];
  await reconcileDays({ db, provider, now: Date.now }, account, days, told);
}

const list = ({ merchant, all }: { merchant?: string; all?: true }): Promise<Answer> =>
  withDatabase(async (db) => {
    const which = { closedToo: all === true, limit: LIMITS.pageSize, ...(merchant !== undefined && { merchant }) };
    const found = await listFindings(db, which);
    for (let page = found; page.length === LIMITS.pageSize; found.push(...page))
      page = await listFindings(db, { ...which, before: page.at(-1)!.number });
    return {
      rows: found.map((one) => ({
        id: one.id,
        merchant: one.merchant_id,
        provider: one.provider,
        day: one.day,
        kind: one.kind,
        type: one.type,
        reference: one.reference,
        out_trade_no: one.out_trade_no,
        order: one.order_number,
        ours: one.ours.map(inWords).join(' + ') || null,
        theirs: one.theirs.map(inWords).join(' + ') || null,
        ...(all && { closed_at: one.closed_at, closed_by: one.closed_by, note: one.note }),
      })),
      none: 'Ledger and statements agree.',
    };
  });

const inWords = (money: Money): string => `${money.currency} ${decimalAmount(money)}`;

const close = (id: string, { by, note }: { by: string; note: string }): Promise<Answer> =>
  withDatabase(async (db) => {
    if (!(await closeFinding(db, id, { by, note, now: new Date() })))
      throw new UsageError(`There is no open finding ${id}; see \`findings\`.`);
    return { text: `${id} is closed.`, data: { id, closed: true } };
  });

const sums = ({ merchant, from, to }: { merchant?: string; from?: Day; to?: Day }): Promise<Answer> =>
  withDatabase(async (db) => {
    const last = to ?? dayAfter(new Date().toISOString().slice(0, 10));
    const period = { from: from ?? dayAfter(last, -30), to: last };
    return {
      rows: await ledgerSums(db, { ...period, ...(merchant !== undefined && { merchant }) }),
      none: 'No money moved.',
    };
  });

function dayNamed(text: string): Day {
  if (isDay(text)) return text;
  throw new UsageError(`"${text}" is no day: yyyy-mm-dd.`);
}
