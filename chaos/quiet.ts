import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { OrderBody } from '../api/schemas.ts';
import { TASK_TIMEOUT_MS } from '../client/gateway.ts';
import { findDoubts } from '../db/doubts.ts';
import type { Database } from '../db/schema.ts';
import type { Progress } from '../start/failure.ts';
import { countUnproven, countUntold, listOrders, moneyIn, trayOf } from './evidence.ts';
import { inTurns } from './in-turns.ts';
import { seeTo } from './people.ts';
import type { Plan } from './plan.ts';
import { restOf } from './rest.ts';
import type { Shop } from './shop.ts';
import type { Simulator } from './simulator.ts';

type World = { shop: Shop; simulator: Simulator; db: Kysely<Database> };
type Options = { progress: Progress; signal: AbortSignal };

/** An attempt that can't be closed is asked about once more five minutes after it expired. */
const PATIENCE_MS = 8 * 60_000;
const PAUSE_MS = 1_500;
const TELL_EVERY_MS = 10_000;
const AT_ONCE = 8;
/** What is so twice, this long apart, is so: no task is to be repeated. */
const STILL_MS = TASK_TIMEOUT_MS + 2_000;

/**
 * People see to what waits for them, until nothing is left that would go on by itself; or until patience is over.
 * @returns what was still under way then, in words; empty: it became quiet
 */
export async function untilQuiet(
  world: World,
  plans: ReadonlyMap<string, Plan>,
  { progress, signal }: Options,
): Promise<string[]> {
  let [quietSince, toldAt, left] = [0, 0, [] as string[]];
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(PAUSE_MS, null, { signal })) {
    const orders = await listOrders(world.shop);
    const done = await people(world, orders, plans);
    left = [...(done > 0 ? [`${done} orders that people saw to`] : []), ...(await whatIsLeft(world, orders))];
    if (left.length > 0) quietSince = 0;
    else if (quietSince === 0) quietSince = Date.now();
    else if (Date.now() - quietSince > STILL_MS) return [];
    if (left.length > 0 && Date.now() - toldAt > TELL_EVERY_MS) {
      toldAt = Date.now();
      progress(`Waiting for ${left.join(', ')}`);
    }
  }
  progress('It did not get quiet');
  return left.length > 0 ? left : ['what came and went'];
}

/** @returns for how many orders there was something to do */
async function people(
  { shop }: World,
  orders: readonly OrderBody[],
  plans: ReadonlyMap<string, Plan>,
): Promise<number> {
  const waiting = orders.filter((order) => {
    const rest = restOf(order);
    const isDisputed = order.payments.some(({ status }) => status === 'disputed') && order.paid_at === null;
    return (rest !== 'ended' && rest !== null) || (isDisputed && rest === null);
  });
  const theirs = waiting.filter(({ id }) => plans.get(id)?.isLookedAfter);
  await inTurns(theirs, AT_ONCE, (order) => seeTo(shop, order, plans.get(order.id)!));
  return theirs.length;
}

/** What is still under way, in words; cheap things first. */
async function whatIsLeft({ simulator, db }: World, orders: readonly OrderBody[]): Promise<string[]> {
  const restless = orders.filter((order) => restOf(order) === null).length;
  const doubts = await findDoubts(db, orders.length);
  const unproven = await countUnproven(db);
  const untold = await countUntold(db);
  const payments = await simulator.payments();
  const due = payments.flatMap(({ notices }) => notices).filter(({ status }) => status === 'due').length;
  const refunding = payments.flatMap(({ refunds }) => refunds).filter(({ status }) => status === 'processing').length;
  const apart = await countMoneyApart(simulator, db);
  const left = {
    'orders at work': restless,
    'orders in doubt': doubts.length,
    'orders whose wish is not proven': unproven,
    notifications: untold,
    notices: due,
    'refunds at providers': refunding,
    'rows of money': apart,
  };
  const words = Object.entries(left).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  if (words.length > 0) return words;
  const trays = await inTurns(orders, AT_ONCE, (order) => trayOf(simulator, order));
  const unreported = trays.flat().filter(({ report }) => report === 'none' || report === 'due').length;
  return unreported > 0 ? [`${unreported} reports of machines`] : [];
}

/** Rows that only we have, or only a provider. */
async function countMoneyApart(simulator: Simulator, db: Kysely<Database>): Promise<number> {
  const counts = new Map<string, number>();
  const count = (by: number) => (money: Parameters<typeof moneyIn>[0]) => {
    const key = JSON.stringify(moneyIn(money));
    counts.set(key, (counts.get(key) ?? 0) + by);
  };
  (await simulator.books()).forEach(count(1));
  (await db.selectFrom('ledger').selectAll().execute()).forEach(count(-1));
  return [...counts.values()].reduce((sum, one) => sum + Math.abs(one), 0);
}
