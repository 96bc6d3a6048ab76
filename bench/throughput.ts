/** Orders and bare workflows per second, and the CPU time that each takes: alternating, on the same servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderId } from '../domain/ids.ts';
import type { Progress } from '../start/failure.ts';
import { orderWorkflowId } from '../workflows/messages.ts';
import type { Bench } from './bench.ts';
import { cpuForEach, cpuOfChildren, cpuOfMyself, totalOf, type CpuTimes } from './cpu.ts';
import { inFlight } from './pool.ts';
import { rounded, spreadOf, type Spread } from './spread.ts';

export type Load = {
  /** In each lap. */
  orders: number;
  rounds: number;
  /** So many at once. */
  inFlight: number;
};

/** So many orders, or bare workflows, in a row. */
export type Lap = {
  perSecond: number;
  /** By part, for one order. API and worker, Temporal, PostgreSQL. Milliseconds. */
  cpu: CpuTimes;
  /** Of this process, for one order: merchant, buyer and provider. Milliseconds. */
  cpuOutside: number;
};
export type Round = { order: Lap; bare: Lap };
export type Throughput = {
  rounds: Round[];
  /** An order's of a bare workflow's, in the same round. */
  throughputRatio: Spread;
  cpuRatio: Spread;
  /** History events of the orders that ran at the same time. */
  eventsUnderLoad: Spread;
};

/** What was under way when the last order was answered gets so long to end before CPU times are read. */
const ENDING_MS = 500;

/** @param paidVersion in which version an order is saved once it is paid: see cost.ts */
export async function measureThroughput(
  bench: Bench,
  load: Load,
  paidVersion: number,
  progress: Progress,
): Promise<Throughput> {
  const all: string[] = [];
  const orders = async (count: number) => {
    all.push(...(await inFlight(count, load.inFlight, () => live(bench, paidVersion))));
  };
  const bare = async (count: number) => void (await bench.system.runBare(count, load.inFlight));
  progress('Warming up');
  const warmUp = Math.max(load.inFlight, Math.ceil(load.orders / 2));
  await orders(warmUp);
  await bare(warmUp);
  const rounds: Round[] = [];
  for (let round = 1; round <= load.rounds; round++) {
    const done = { order: await lap(load.orders, orders), bare: await lap(load.orders, bare) };
    rounds.push(done);
    progress(`Round ${round} of ${load.rounds}: ${perSecond(done.order)} orders/s, ${perSecond(done.bare)} bare/s`);
  }
  return {
    rounds,
    throughputRatio: spreadOf(rounds.map(({ order, bare: other }) => order.perSecond / other.perSecond)),
    cpuRatio: spreadOf(rounds.map(({ order, bare: other }) => totalOf(order.cpu) / totalOf(other.cpu))),
    eventsUnderLoad: spreadOf(await lengthsOf(bench, all)),
  };
}

const perSecond = (lap: Lap): string => rounded(lap.perSecond, 1);

/** From creation to receipt, without a pause: each call follows on the answer to the one before. */
async function live({ shop, saves }: Bench, paidVersion: number): Promise<string> {
  const { id, items } = await shop.create({ items: 2 });
  await shop.pay(await shop.openPayment(id));
  await saves.until(id, paidVersion);
  for (const item of items) await shop.report(id, item);
  await shop.receive(id);
  return id;
}

async function lap(count: number, run: (count: number) => Promise<void>): Promise<Lap> {
  const before = { children: cpuOfChildren(), outside: cpuOfMyself(), at: performance.now() };
  await run(count);
  const seconds = (performance.now() - before.at) / 1000;
  await sleep(ENDING_MS);
  return {
    perSecond: count / seconds,
    cpu: cpuForEach(before.children, cpuOfChildren(), count),
    cpuOutside: (cpuOfMyself() - before.outside) / count,
  };
}

/** @throws if an order's workflow has not ended well */
async function lengthsOf({ client }: Bench, orders: readonly string[]): Promise<number[]> {
  return inFlight(orders.length, 10, async (index) => {
    const id = orders[index]!;
    const { status, historyLength } = await client.workflow.getHandle(orderWorkflowId(id as OrderId)).describe();
    if (status.name !== 'COMPLETED') throw new Error(`order ${id} was received, but its workflow is ${status.name}`);
    return historyLength;
  });
}
