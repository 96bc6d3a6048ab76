/** The report of the cost scenario, for people. */
import { BUDGET, type Cost, type Counted } from './cost.ts';
import type { CostReport } from './cost-scenario.ts';
import { PARTS, totalOf } from './cpu.ts';
import type { Options } from './options.ts';
import { rounded, spreadOf } from './spread.ts';
import { nameOf } from './statements.ts';
import { columns } from './table.ts';
import type { Lap, Round, Throughput } from './throughput.ts';

const STORES = { memory: 'in memory (development server)', postgres: 'on PostgreSQL (full server)' } as const;

export function costTable(report: CostReport, options: Options): string {
  const { throughput, unpaid, paid } = report;
  return [
    countsTable(report),
    `${options.rounds} rounds of ${options.orders} orders and ${options.orders} bare workflows, ${options.inFlight} at once, Temporal ${STORES[options.temporal]}:`,
    speedTable(throughput),
    NOTES,
    'Statements of an unpaid order, step by step:',
    stepsTable(unpaid),
    'Statements of a paid order, step by step:',
    stepsTable(paid),
  ].join('\n\n');
}

const NOTES = [
  'orders/s: from creation to receipt over HTTP. CPU: user and system time of API and worker (one process), Temporal and',
  'PostgreSQL with their children. "outside" is the simulated provider, the buyer and the merchant\'s program: they share',
  "the machine, so they slow orders down, but they are no part of an order's cost. Statements: all that API and worker",
  'send for the order; not the look-ups of keys and accounts (kept for some seconds) and the relay (every ten).',
].join('\n');

function countsTable({ unpaid, paid, careful, bare }: CostReport): string {
  const row = (name: string, { events, tasks, statements }: Cost, most = '') => [
    name,
    `${events}`,
    `${tasks}`,
    `${statements}`,
    most,
  ];
  const budget = ({ events, tasks }: { events: number; tasks: number }) => `${events} events, ${tasks} tasks`;
  return columns([
    ['', 'events', 'tasks', 'statements', 'at most'],
    row('unpaid order', unpaid, budget(BUDGET.unpaid)),
    row('paid order', paid, budget(BUDGET.paid)),
    row('  with Idempotency-Keys', careful),
    row('bare workflow', bare),
  ]);
}

function speedTable({ rounds, throughputRatio, cpuRatio, eventsUnderLoad }: Throughput): string {
  const line = (name: string, digits: number, { min, median, max }: ReturnType<typeof spreadOf>) => [
    name,
    ...[min, median, max].map((value) => rounded(value, digits)),
  ];
  const laps = (name: string, kind: keyof Round, of: (lap: Lap) => number) =>
    line(name, 1, spreadOf(rounds.map((round) => of(round[kind]))));
  const cpu = (kind: keyof Round, name: string) => [
    laps(`CPU ms per ${name}`, kind, (lap) => totalOf(lap.cpu)),
    ...PARTS.map((part) => laps(`  ${part}`, kind, (lap) => lap.cpu[part])),
    laps('  (outside)', kind, (lap) => lap.cpuOutside),
  ];
  return columns([
    ['', 'min', 'median', 'max'],
    laps('orders/s', 'order', (lap) => lap.perSecond),
    laps('bare/s', 'bare', (lap) => lap.perSecond),
    line('throughput ratio (higher is better)', 3, throughputRatio),
    ...cpu('order', 'order'),
    ...cpu('bare', 'bare workflow'),
    line('CPU ratio (lower is better)', 3, cpuRatio),
    line('events of an order under load', 0, eventsUnderLoad),
  ]);
}

const stepsTable = ({ steps }: Counted): string =>
  columns(
    steps.flatMap(({ name, statements }) => {
      if (statements.length === 0) return [[`  ${name}`, '(none)']];
      return statements.map((statement, index) => [index === 0 ? `  ${name}` : '', nameOf(statement)]);
    }),
    'left',
  );
