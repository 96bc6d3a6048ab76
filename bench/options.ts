/** The command line. */
import { parseArgs } from 'node:util';
import { messageOf } from '../start/failure.ts';
import { UsageError } from '../start/program.ts';
import type { TemporalStore } from './servers.ts';

export const SCENARIOS = ['cost', 'items', 'reads'] as const;
export const STORES = ['memory', 'postgres'] as const satisfies readonly TemporalStore[];

export type Options = {
  scenario: (typeof SCENARIOS)[number];
  /** In each lap. */
  orders: number;
  rounds: number;
  inFlight: number;
  items: number;
  /** In the larger of two databases. */
  stored: number;
  temporal: TemporalStore;
  json: boolean;
  help: boolean;
};

export const HELP = `Usage: npm run bench -- [scenario] [options]

Scenarios:
  cost    what an order costs, side by side with a bare workflow (this one, if none is named)
  items   an order of many items, each reported twice: what the last report costs, against the first
  reads   get, list and sum with many orders stored, against 10,000

Options:
  --orders N         cost: orders, and bare workflows, in each lap (60)
  --rounds N         cost: laps of each, alternating (5)
  --in-flight N      cost: orders at the same time (16)
  --items N          items: how many (1000)
  --stored N         reads: orders in the larger database (1000000)
  --temporal STORE   where Temporal keeps its histories: memory or postgres (memory).
                     postgres builds the full server with Go, once
  --json             one JSON object on standard output, and nothing else there
  --help             this text

Starts servers of its own on free ports and ends them again. Progress goes to standard error.
`;

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError(`One scenario, not "${positionals.join(' ')}".`);
  return {
    scenario: oneOf('The scenario', SCENARIOS, positionals[0] ?? 'cost'),
    orders: count('--orders', values.orders, 10_000),
    rounds: count('--rounds', values.rounds, 1_000),
    inFlight: count('--in-flight', values['in-flight'], 500),
    items: count('--items', values.items, 1_000),
    stored: count('--stored', values.stored, 100_000_000),
    temporal: oneOf('--temporal', STORES, values.temporal),
    json: values.json,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        orders: { type: 'string', default: '60' },
        rounds: { type: 'string', default: '5' },
        'in-flight': { type: 'string', default: '16' },
        items: { type: 'string', default: '1000' },
        stored: { type: 'string', default: '1000000' },
        temporal: { type: 'string', default: 'memory' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function count(option: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} must be a number from 1 to ${most}, not "${text}".`);
}

function oneOf<T extends string>(what: string, known: readonly T[], text: string): T {
  const found = known.find((name) => name === text);
  if (found) return found;
  throw new UsageError(`${what} must be ${known.join(' or ')}, not "${text}".`);
}
