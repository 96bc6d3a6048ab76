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

const WITHOUT_DECIMALS = [
  'BIF',
  'CLP',
  'DJF',
  'GNF',
  'ISK',
  'JPY',
  'KMF',
  'KRW',
  'PYG',
  'RWF',
  'UGX',
  'VND',
  'VUV',
  'XAF',
  'XOF',
  'XPF',
];
const WITH_THREE_DECIMALS = ['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'];

/** How many decimals a currency has (ISO 4217). */
export function decimalsOf(currency: string): number {
  if (WITHOUT_DECIMALS.includes(currency)) return 0;
  return WITH_THREE_DECIMALS.includes(currency) ? 3 : 2;
}

/** For people and for providers that take decimals: 1500 CNY is "15.00". */
export function decimalAmount({ amount, currency }: Money): string {
  const decimals = decimalsOf(currency);
  if (decimals === 0) return String(amount);
  const digits = String(amount).padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
