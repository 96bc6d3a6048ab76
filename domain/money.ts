/** An amount in the minor unit of its currency: CNY 15.00 is `{ amount: 1500, currency: 'CNY' }`. */
export type Money = { amount: number; currency: string };

/**
 * Parts of `total` in proportion to `weights`, by largest remainder: the parts are integers and add up to the total
 * exactly; of equal remainders the earlier part gets the unit. All weights zero count as equal.
 * @param total integer ≥ 0, minor units
 * @param weights integers ≥ 0
 */
export function allocate(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) {
    if (weights.length === 0) return [];
    return allocate(
      total,
      weights.map(() => 1),
    );
  }
  const shares = weights.map((weight, index) => {
    // Beyond 2^53 a product of two amounts is only exact as a BigInt.
    const product = BigInt(total) * BigInt(weight);
    return { index, whole: Number(product / BigInt(sum)), remainder: product % BigInt(sum) };
  });
  const left = total - shares.reduce((a, { whole }) => a + whole, 0);
  const parts = shares.map(({ whole }) => whole);
  const byRemainder = shares.toSorted((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  );
  for (const { index } of byRemainder.slice(0, left)) parts[index] = parts[index]! + 1;
  return parts;
}

/** The first `count` of `units` equal parts of `total`, together: grows evenly and ends at exactly `total`. */
export function cumulativeShare(total: number, count: number, units: number): number {
  return Number((BigInt(total) * BigInt(count)) / BigInt(units));
}

export const sum = (amounts: readonly number[]): number => amounts.reduce((a, b) => a + b, 0);
