/** What every adapter needs, whatever its provider's protocol. */
import type { z } from 'zod';
import type { Money } from '../domain/money.ts';
import { ProviderError } from './provider.ts';

/**
 * What came, as `shape` wants it.
 * @param fail makes the error; it is told the names of the fields that are wrong, and none of their values
 * @throws what `fail` makes
 */
export function readShape<T extends z.ZodType>(shape: T, value: unknown, fail: (why: string) => Error): z.infer<T> {
  const { data, error } = shape.safeParse(value);
  if (error) throw fail(error.issues.map(({ path }) => path.join('.') || 'no object').join(', '));
  return data as z.infer<T>;
}

/** Plain configuration may pair an account with a method of another provider. */
export const unsupportedMethod = (method: string): ProviderError =>
  new ProviderError('refused', 'unsupported_method', `this provider has no method ${method}`);

/** What an adapter's table says of a method. @throws ProviderError refused `unsupported_method` */
export function ofMethod<T>(table: Readonly<Record<string, T>>, method: string): T {
  if (!Object.hasOwn(table, method)) throw unsupportedMethod(method);
  return table[method]!;
}

/**
 * An amount for a provider that settles in yuan only.
 * @param most fen
 * @returns fen, at least 1
 * @throws ProviderError refused `unsupported_currency`, `unsupported_amount`, before anything is sent
 */
export function fenWithin({ amount, currency }: Money, most: number): number {
  if (currency !== 'CNY')
    throw new ProviderError('refused', 'unsupported_currency', `this provider takes CNY only, not ${currency}`);
  if (Number.isSafeInteger(amount) && amount > 0 && amount <= most) return amount;
  throw new ProviderError('refused', 'unsupported_amount', `an amount is a whole number of fen, 1 to ${most}`);
}

/** The HTTP status that most providers understand as: taken, send it again, not yours. */
export const acknowledgedBy = { accepted: 200, failed: 500, rejected: 401 } as const;
