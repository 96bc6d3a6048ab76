import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, cumulativeShare, sum } from '../../domain/money.ts';

/** The contract's limits: any amount up to 99,999,999,999, up to 1,000 items; so a total has up to 14 digits. */
const MAX_AMOUNT = 99_999_999_999;
const MAX_ITEMS = 1_000;
const amount = fc.integer({ min: 0, max: MAX_AMOUNT });
const weights = fc.oneof(
  fc.array(amount, { minLength: 1, maxLength: 12 }),
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }), // Many equal remainders.
);
const total = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: MAX_AMOUNT * MAX_ITEMS }));
const shares = fc.record({ total, weights });

const exactSum = (parts: readonly number[]): bigint => parts.reduce((a, part) => a + BigInt(part), 0n);

function expectFair(whole: number, weight: readonly number[]): void {
  const parts = allocate(whole, weight);
  const all = exactSum(weight);
  expect(exactSum(parts)).toBe(BigInt(whole));
  for (const [index, part] of parts.entries()) {
    expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
    if (all === 0n) continue;
    // Within one unit of the exact share, both sides multiplied by the sum.
    const off = BigInt(part) * all - BigInt(whole) * BigInt(weight[index]!);
    expect(off < all && off > -all).toBe(true);
  }
}

describe('allocate', () => {
  it('splits by largest remainder, of equal ones the earlier first', () => {
    expect(allocate(500, [3000, 1000])).toEqual([375, 125]);
    expect(allocate(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(allocate(2, [1, 1, 1])).toEqual([1, 1, 0]);
    expect(allocate(1, [1, 3])).toEqual([0, 1]);
    expect(allocate(10, [6, 6, 1])).toEqual([5, 4, 1]); // Remainders 8, 8 and 10 of 13.
  });

  it('takes nothing as equal', () => {
    expect(allocate(5, [0, 0])).toEqual([3, 2]);
    expect(allocate(0, [])).toEqual([]);
    expect(allocate(0, [0, 7])).toEqual([0, 0]);
  });

  it('adds up exactly, each part within one unit of its exact share', () => {
    fc.assert(fc.property(shares, ({ total: whole, weights: weight }) => expectFair(whole, weight)));
  });

  it('gives nothing to a weight of nothing, unless all are', () => {
    fc.assert(
      fc.property(shares, ({ total: whole, weights: weight }) => {
        fc.pre(weight.some((one) => one > 0));
        const parts = allocate(whole, weight);
        expect(parts.filter((_, index) => weight[index] === 0).every((part) => part === 0)).toBe(true);
      }),
    );
  });

  it('is exact where the product of two amounts is not: the lesser loss of one unit decides', () => {
    expect(allocate(199_999_860_119, [99_999_926_723, 99_999_933_397])).toEqual([99_999_926_723, 99_999_933_396]);
    expect(allocate(67_973_628_567_788, [46_646_658_004, 19_526_166_208, 46_646_658_005])).toEqual([
      28_104_566_186_484, 11_764_496_194_218, 28_104_566_187_086,
    ]);
  });

  it('never gives the greater weight less, nor the later of equals more', () => {
    fc.assert(
      fc.property(shares, ({ total: whole, weights: weight }) => {
        const parts = allocate(whole, weight);
        const inOrder = weight.map((one, index) => ({ one, index, part: parts[index]! }));
        inOrder.sort((a, b) => b.one - a.one || a.index - b.index);
        expect(inOrder.every(({ part }, at) => at === 0 || inOrder[at - 1]!.part >= part)).toBe(true);
      }),
    );
  });

  it('never gives more than the weight where the total is no more than the weights: a discount fits its items', () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (weight, part) => {
        const discount = Math.floor(sum(weight) * part);
        fc.pre(sum(weight) > 0);
        expect(allocate(discount, weight).every((share, index) => share <= weight[index]!)).toBe(true);
      }),
    );
  });

  it('is exact at the limits: 1,000 items of 99,999,999,999', () => {
    const most = Array.from({ length: MAX_ITEMS }, () => MAX_AMOUNT);
    expect(allocate(sum(most), most)).toEqual(most);
    expectFair(sum(most) - 1, most);
    expectFair(MAX_AMOUNT, most);
    expectFair(
      sum(most) - 7,
      most.map((one, index) => one - index * 97),
    );
    fc.assert(fc.property(total, fc.array(amount, { minLength: MAX_ITEMS, maxLength: MAX_ITEMS }), expectFair), {
      numRuns: 10,
    });
  });
});

describe('cumulativeShare', () => {
  const line = fc.record({ total: fc.integer({ min: 0, max: MAX_AMOUNT }), units: fc.integer({ min: 1, max: 9_999 }) });

  it('begins at nothing, ends at exactly the total', () => {
    fc.assert(
      fc.property(line, ({ total: whole, units }) => {
        expect(cumulativeShare(whole, 0, units)).toBe(0);
        expect(cumulativeShare(whole, units, units)).toBe(whole);
      }),
    );
  });

  it('grows evenly: no unit is more than one apart from another', () => {
    fc.assert(
      fc.property(line, fc.nat(), fc.nat(), ({ total: whole, units }, a, b) => {
        const unit = (n: number): number => cumulativeShare(whole, n + 1, units) - cumulativeShare(whole, n, units);
        const [one, other] = [unit(a % units), unit(b % units)];
        expect(Math.min(one, other)).toBeGreaterThanOrEqual(Math.floor(whole / units));
        expect(Math.abs(one - other)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('adds up to the total however the units are taken', () => {
    fc.assert(
      fc.property(line, fc.array(fc.nat()), ({ total: whole, units }, cuts) => {
        const stops = [0, ...cuts.map((cut) => cut % units).sort((a, b) => a - b), units];
        const taken = stops
          .slice(1)
          .map((stop, at) => cumulativeShare(whole, stop, units) - cumulativeShare(whole, stops[at]!, units));
        expect(taken.every((part) => part >= 0)).toBe(true);
        expect(sum(taken)).toBe(whole);
      }),
    );
  });

  it('is exact where a product of two amounts is not', () => {
    expect(cumulativeShare(99_999_999_999_000, 9_998, 9_999)).toBe(Number((99_999_999_999_000n * 9_998n) / 9_999n));
  });
});

describe('sum', () => {
  it('is exact for 1,000 of the largest amounts', () => {
    expect(sum(Array.from({ length: MAX_ITEMS }, () => MAX_AMOUNT))).toBe(99_999_999_999_000);
    expect(sum([])).toBe(0);
  });
});
