/** `npm run bench`: what an order costs, side by side with a bare workflow. */
import type { Progress } from '../start/failure.ts';
import type { Bench } from './bench.ts';
import { costTable } from './cost-table.ts';
import { BUDGET, countHistory, countPaid, countUnpaid, type Cost, type Counted } from './cost.ts';
import type { Options } from './options.ts';
import type { Outcome } from './scenario.ts';
import { rounded } from './spread.ts';
import { measureThroughput, type Throughput } from './throughput.ts';

export type CostReport = {
  unpaid: Counted;
  paid: Counted;
  /** With an Idempotency-Key on each call. */
  careful: Counted;
  bare: Cost;
  throughput: Throughput;
};

/** So many of each kind are counted; all must cost the same. */
const COUNTED = 3;

export async function costScenario(bench: Bench, options: Options, progress: Progress): Promise<Outcome> {
  progress(`Counting ${COUNTED} orders of each kind, one at a time`);
  const unpaid = same('an unpaid order', await repeat(() => countUnpaid(bench)));
  const paid = same('a paid order', await repeat(() => countPaid(bench)));
  const careful = await countPaid({ ...bench, shop: bench.carefulShop });
  const bare = same('a bare workflow', await countBare(bench));
  const throughput = await measureThroughput(bench, options, paid.paidVersion, progress);
  const report: CostReport = { unpaid, paid, careful, bare, throughput };
  return { json: jsonOf(report), table: costTable(report, options), complaints: complaintsAbout(report) };
}

async function repeat<T>(count: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let index = 0; index < COUNTED; index++) all.push(await count());
  return all;
}

async function countBare({ system, client }: Bench): Promise<Cost[]> {
  const ids = await system.runBare(COUNTED, 1);
  return Promise.all(ids.map(async (id) => ({ ...(await countHistory(client, id)), statements: 0 })));
}

/** @throws if they differ: then none of them is what an order costs */
function same<T extends Cost>(what: string, all: readonly T[]): T {
  for (const unit of ['events', 'tasks', 'statements'] as const) {
    const values = all.map((cost) => cost[unit]);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    if (min !== max)
      throw new Error(`The ${unit} of ${what} are not always the same: ${values.join(', ')} (${min} to ${max})`);
  }
  return all[0]!;
}

function jsonOf({ unpaid, paid, bare, throughput }: CostReport) {
  const costOf = ({ events, tasks, statements }: Cost): Cost => ({ events, tasks, statements });
  return {
    unpaid: costOf(unpaid),
    paid: costOf(paid),
    bare: costOf(bare),
    throughputRatio: Number(rounded(throughput.throughputRatio.median, 3)),
    cpuRatio: Number(rounded(throughput.cpuRatio.median, 3)),
  };
}

function complaintsAbout(report: CostReport): string[] {
  return (['unpaid', 'paid'] as const).flatMap((kind) =>
    (['events', 'tasks'] as const)
      .filter((unit) => report[kind][unit] > BUDGET[kind][unit])
      .map((unit) => `Over budget: ${report[kind][unit]} ${unit} of an ${kind} order, at most ${BUDGET[kind][unit]}`),
  );
}
