import { expect, it } from 'vitest';
import { readOptions } from '../../bench/options.ts';

it('knows what to do when nothing is said', () => {
  expect(readOptions([])).toMatchObject({ scenario: 'cost', orders: 60, rounds: 5, temporal: 'memory', json: false });
});

it('takes options and a scenario', () => {
  expect(readOptions(['items', '--items', '20', '--json'])).toMatchObject({ scenario: 'items', items: 20, json: true });
});

it.each([
  [['--order', '5'], '--order'],
  [['--orders', 'many'], '--orders must be a number from 1 to 10000, not "many"'],
  [['--rounds', '0'], '--rounds'],
  [['--temporal', 'disk'], '--temporal must be memory or postgres, not "disk"'],
  [['speed'], 'The scenario must be cost or items or reads, not "speed"'],
])('names what is wrong in %j', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});
