/** The command line. */
import { parseArgs } from 'node:util';
import { messageOf } from '../start/failure.ts';
import { UsageError } from '../start/program.ts';

export type Options = {
  orders: number;
  /** The same seed: the same orders, and the same things going wrong in the same order. */
  seed: number;
  help: boolean;
};

export const HELP = `Usage: npm run chaos -- [options]

Drives orders of all kinds through the real system while things go wrong, lets the world answer, waits until all is
quiet, and compares: orders, ledger, the providers' books, events, notifications, queries, logs.

Options:
  --orders N   how many (100)
  --seed N     what decides about the orders and about what goes wrong (by chance; it is told)
  --help       this text

Starts PostgreSQL, Temporal, the simulator, an API and a worker of its own on free ports, and ends them again.
Exit codes: 0 all agrees, 1 something does not, 2 said wrongly. docs/chaos.md tells the rest.
`;

const MOST_ORDERS = 10_000;
const MOST_SEED = 2 ** 32 - 1;

/** @throws UsageError */
export function readOptions(args: readonly string[], chance: () => number = Math.random): Options {
  const { orders, seed, help } = parse(args);
  return {
    orders: whole('--orders', orders, 1, MOST_ORDERS),
    seed: seed === undefined ? Math.floor(chance() * 1_000_000) : whole('--seed', seed, 0, MOST_SEED),
    help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        orders: { type: 'string', default: '100' },
        seed: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}, not "${text}".`);
}
