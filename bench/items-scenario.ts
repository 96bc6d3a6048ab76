/** `npm run bench -- items`: whether an order of many items stays quick to the end. */
import type { Progress } from '../start/failure.ts';
import type { Bench } from './bench.ts';
import type { Options } from './options.ts';
import type { Outcome } from './scenario.ts';
import { rounded, spreadOf } from './spread.ts';
import { isUpkeep } from './statements.ts';
import { columns } from './table.ts';

/** What one report of a delivery took: until it was answered, in SQL, and how many statements. */
type Report = { ms: number; sqlMs: number; statements: number };
type Unit = keyof Report;

/** The contract's: the last report may cost so many times the first. */
const MOST = 1.2;
/** A single report's time is chance: these many at the beginning and at the end are compared, by their medians. */
const WINDOW = 50;
/** Items. */
const WARM_UP = 100;
const TELL_EVERY = 500;
const UNITS: readonly Unit[] = ['ms', 'sqlMs', 'statements'];
const NAMES: Record<Unit, string> = { ms: 'ms until answered', sqlMs: 'ms in SQL', statements: 'statements' };

export async function itemsScenario(bench: Bench, options: Options, progress: Progress): Promise<Outcome> {
  progress(`Warming up with an order of ${WARM_UP} items`); // A cold process would make the first reports look dear.
  for (const send of await reportsOf(bench, WARM_UP)) await send();
  const late = await reportsOf(bench, options.items);
  const early = await reportsOf(bench, options.items);
  const compared = Math.min(WINDOW, options.items);
  for (const [index, send] of late.slice(0, -compared).entries()) {
    await send();
    if ((index + 1) % TELL_EVERY === 0) progress(`${index + 1} of ${late.length} reports`);
  }
  const { first, last } = await sideBySide(bench, early.slice(0, compared), late.slice(-compared));
  const ratios = perUnit((unit) => last[unit] / first[unit]);
  return {
    json: { items: options.items, reports: late.length, first, last, ratios },
    table: table(first, last, ratios),
    complaints: UNITS.filter((unit) => ratios[unit] > MOST).map(
      (unit) => `The last reports cost ${rounded(ratios[unit], 2)} times the first in ${NAMES[unit]}, at most ${MOST}`,
    ),
  };
}

type Send = () => Promise<void>;

/** The reports of a new order, to be sent: first each item is on its way, then each has arrived. */
async function reportsOf(bench: Bench, count: number): Promise<Send[]> {
  const { id, items } = await paidOrder(bench, count);
  return (['delivering', 'delivered'] as const).flatMap((status) =>
    items.map((item) => () => bench.shop.report(id, item, status)),
  );
}

/** The first reports of one order by turns with the last ones of another: what else the machine does troubles both. */
async function sideBySide(bench: Bench, early: readonly Send[], late: readonly Send[]) {
  const [first, last]: Report[][] = [[], []];
  for (const [index, send] of early.entries()) {
    first!.push(await report(bench, send));
    last!.push(await report(bench, late[index]!));
  }
  return { first: typical(first!), last: typical(last!) };
}

async function paidOrder({ shop, saves }: Bench, count: number): Promise<{ id: string; items: string[] }> {
  const order = await shop.create({ items: count });
  const outTradeNo = await shop.openPayment(order.id);
  const opened = saves.versionOf(order.id);
  await shop.pay(outTradeNo);
  await saves.until(order.id, opened + 1);
  return order;
}

async function report(bench: Bench, send: Send): Promise<Report> {
  await bench.takeStatements();
  const began = performance.now();
  await send();
  const ms = performance.now() - began;
  const statements = (await bench.takeStatements()).filter((statement) => !isUpkeep(statement));
  return { ms, sqlMs: statements.reduce((sum, one) => sum + one.ms, 0), statements: statements.length };
}

const perUnit = (of: (unit: Unit) => number): Report => ({
  ms: of('ms'),
  sqlMs: of('sqlMs'),
  statements: of('statements'),
});

const typical = (reports: readonly Report[]): Report =>
  perUnit((unit) => spreadOf(reports.map((one) => one[unit])).median);

const table = (first: Report, last: Report, ratios: Report): string =>
  columns([
    ['each report', `first ${WINDOW}`, `last ${WINDOW}`, 'ratio'],
    ...UNITS.map((unit) => [
      NAMES[unit],
      rounded(first[unit], 1),
      rounded(last[unit], 1),
      `${rounded(ratios[unit], 2)} (at most ${MOST})`,
    ]),
  ]);
