import { expect, it } from 'vitest';
import { readOptions } from '../../chaos/options.ts';
import { planOf } from '../../chaos/plan.ts';
import { stormOf } from '../../chaos/storm.ts';
import { METHODS } from '../../domain/method.ts';
import { UsageError } from '../../start/program.ts';

const plans = (seed: number, count: number) => Array.from({ length: count }, (_, index) => planOf(seed, index));
const storm = (seed: number, orders: number) => stormOf(seed, orders, (index) => planOf(seed, index).machineNo);

it('a seed makes the same orders and the same storm, another one others', () => {
  expect([plans(7, 50), storm(7, 50)]).toEqual([plans(7, 50), storm(7, 50)]);
  expect(plans(8, 50)).not.toEqual(plans(7, 50));
  expect(storm(8, 50)).not.toEqual(storm(7, 50));
});

it('orders of all kinds and methods are among them, whatever the seed', () => {
  for (const seed of [0, 7, 123_456]) {
    expect(new Set(plans(seed, 13).map(({ attempts }) => attempts[0]!.method))).toEqual(new Set(Object.keys(METHODS)));
    const many = plans(seed, 200);
    const kinds = new Set(many.flatMap(({ order }) => order.items.map(({ fulfilment }) => fulfilment)));
    expect([...kinds].toSorted()).toEqual(['digital', 'machine', 'pickup', 'shipment']);
    expect(new Set(many.flatMap(({ attempts }) => attempts.map(({ buyer }) => buyer))).size).toBe(7);
    for (const field of ['test', 'confirm']) expect(many.some(({ order }) => field in order)).toBe(true);
    expect(new Set(many.map(({ cancels }) => cancels)).size).toBe(3);
    expect(new Set(many.map(({ reviews }) => reviews)).size).toBe(2);
  }
});

it('parts are killed and servers away in the shortest run', () => {
  const blows = storm(1, 1).map(({ what }) => what);
  const all = [
    'the worker is killed',
    'the API is killed',
    'Temporal is away',
    'PostgreSQL is away',
    'the power fails',
  ];
  for (const what of all) expect(blows.some((blow) => blow.startsWith(what))).toBe(true);
});

it('each server is once away for a minute where the run is long enough', () => {
  const long = (orders: number) => storm(7, orders).flatMap(({ what }) => (what.endsWith('60.0 s') ? what : []));
  expect(long(99)).toEqual([]);
  expect(long(100).toSorted()).toEqual(['PostgreSQL is away for 60.0 s', 'Temporal is away for 60.0 s']);
});

it('the command line is read, and a wrong one is told by its option', () => {
  expect(readOptions(['--orders', '300', '--seed', '7'])).toEqual({ orders: 300, seed: 7, help: false });
  expect(readOptions([], () => 0.5)).toEqual({ orders: 100, seed: 500_000, help: false });
  for (const wrong of [['--orders', '0'], ['--seed', 'x'], ['--seed=-1'], ['--order', '3'], ['now']])
    expect(() => readOptions(wrong)).toThrow(UsageError);
  expect(() => readOptions(['--orders', '1.5'])).toThrow('--orders must be a whole number from 1 to 10000, not "1.5".');
});
