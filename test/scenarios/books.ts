import { expect } from 'vitest';
import { until } from '../support/orders.ts';
import type { System } from '../support/system.ts';

/** Money that moved, as its provider and we both write it down. `at` in whole seconds: finer no provider tells. */
type Entry = { provider: string; out_trade_no: string; type: string; amount: number; currency: string; at: number };

/**
 * Scenario 50: our ledger is the providers' books, entry by entry; so it is in sum, per currency and day. And each order
 * keeps of it what it says that it does: what was paid, less what was refunded.
 */
export async function expectBooksToAgree(system: System): Promise<void> {
  await until(
    async () => ({ ours: (await ourLedger(system)).map(inWords), theirs: (await theirBooks(system)).map(inWords) }),
    ({ ours, theirs }) => JSON.stringify(ours.toSorted()) === JSON.stringify(theirs.toSorted()),
    90_000,
  );
  expect(sums(await ourLedger(system))).toEqual(sums(await theirBooks(system)));
  await until(
    async () => [await kept(system), await owed(system)],
    ([ours, theirs]) => JSON.stringify(ours) === JSON.stringify(theirs),
    90_000,
  );
}

const inWords = (entry: Entry): string => Object.values(entry).join(' ');

async function theirBooks({ simulator }: System): Promise<Entry[]> {
  const answer = await fetch(`${simulator.url}/_control/ledger`);
  const { data } = (await answer.json()) as { data: (Omit<Entry, 'at'> & { at: string })[] };
  return data.map(({ provider, out_trade_no, type, amount, currency, at }) => ({
    provider,
    out_trade_no,
    type,
    amount,
    currency,
    at: seconds(Date.parse(at)),
  }));
}

async function ourLedger({ db }: System): Promise<Entry[]> {
  const rows = await db.selectFrom('ledger').selectAll().execute();
  return rows.map(({ provider, out_trade_no, type, amount, currency, at }) => ({
    provider,
    out_trade_no,
    type,
    amount,
    currency,
    at: seconds(at.getTime()),
  }));
}
const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Captures less refunds, per provider, currency and day. */
function sums(entries: readonly Entry[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { provider, currency, at, type, amount } of entries) {
    const key = `${provider} ${currency} ${new Date(at * 1000).toISOString().slice(0, 10)}`;
    sums[key] = (sums[key] ?? 0) + (type === 'capture' ? amount : -amount);
  }
  return sums;
}

/** Of each order that any money moved for. */
async function kept({ db }: System): Promise<Record<string, number>> {
  const rows = await db.selectFrom('ledger').select(['order_id', 'type', 'amount']).orderBy('order_id').execute();
  const kept: Record<string, number> = {};
  for (const { order_id, type, amount } of rows)
    kept[order_id] = (kept[order_id] ?? 0) + (type === 'capture' ? amount : -amount);
  return kept;
}

async function owed({ db }: System): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('orders')
    .select(['id', 'paid', 'refunded'])
    .where('id', 'in', db.selectFrom('ledger').select('order_id'))
    .orderBy('id')
    .execute();
  return Object.fromEntries(rows.map(({ id, paid, refunded }) => [id, paid - refunded]));
}
