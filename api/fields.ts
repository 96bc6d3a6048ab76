import { z } from '@hono/zod-openapi';
import { LIMITS } from '../domain/limits.ts';
import { isStorable } from './body.ts';
import { invalid } from './problem.ts';

/** The kinds of fields that requests have. What is optional may also be null, as we answer it. */

const lengthOf = (characters: string): number => Array.from(characters).length;

/** Counted in characters, not in UTF-16 units. */
export const text = (most: number = LIMITS.textLength, least = 1) =>
  z
    .string()
    .refine((value) => lengthOf(value) >= least, { error: 'Must not be empty.' })
    .refine((value) => lengthOf(value) <= most, { error: `At most ${most} characters.` })
    .openapi({ minLength: least, maxLength: most });

export const reason = () => text(LIMITS.reasonLength);

/** An integer in the minor unit of the order's currency. */
export const amount = (least = 0) => z.int().min(least).max(LIMITS.amount);
export const quantity = () => z.int().min(1).max(LIMITS.quantity);
export const seconds = (least: number, most: number) => z.int().min(least).max(most);

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
export const currency = () =>
  z
    .string()
    .refine((code) => CURRENCIES.has(code), { error: 'No ISO 4217 currency, in three capital letters.' })
    .openapi({ pattern: '^[A-Z]{3}$', example: 'CNY', description: 'ISO 4217' });

export const webUrl = () =>
  z
    .string()
    .max(LIMITS.textLength)
    .refine((value) => /^https?:\/\//i.test(value) && URL.canParse(value), { error: 'No http or https URL.' })
    .openapi({ format: 'uri', example: 'https://shop.example.com/thanks' });

/** RFC 3339 with any offset, as epoch milliseconds. In a URL an unescaped `+` has become a space. */
export const instantIn = () =>
  z
    .string()
    .transform((value, context) => {
      const written = value.toUpperCase().replace(/ (?=\d\d:\d\d$)/, '+');
      if (isInstant.safeParse(written).success) return new Date(written);
      context.addIssue({ code: 'custom', message: 'No RFC 3339 time with its offset.' });
      return z.NEVER;
    })
    .openapi({ type: 'string', format: 'date-time', example: '2026-03-01T00:00:00+08:00' });
const isInstant = z.iso.datetime({ offset: true });

/** Of query strings, which hold only text. */
export const flag = () => z.enum(['true', 'false']).transform((value) => value === 'true');
export const integerText = (least: number, most: number) =>
  z
    .string()
    .refine((value) => /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most, {
      error: `An integer from ${least} to ${most}.`,
    })
    .transform(Number)
    .openapi({ type: 'integer', minimum: least, maximum: most });

const DEFAULT_PAGE = 20;
/** What every list takes. */
export const page = {
  limit: integerText(1, LIMITS.pageSize)
    .optional()
    .openapi({ description: `How many at most; ${DEFAULT_PAGE} if not given` }),
  cursor: z.string().max(200).optional().openapi({ description: 'The `next_cursor` of the page before' }),
};
export const sizeOf = (limit: number | undefined): number => limit ?? DEFAULT_PAGE;

/** A cursor says after which number the next page begins, and is opaque to clients. */
export const cursorAfter = (list: string, number: number): string =>
  Buffer.from(`${list}:${number}`).toString('base64url');

/** @throws Problem for a cursor that this list has not given out */
export function readCursor(list: string, cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const [, name, digits] = /^(\w+):(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (name !== list) throw invalid({ path: 'cursor', message: 'Not a cursor of this list.' });
  return Number(digits);
}

/** One page of what was asked for with one more than the limit. */
export function pageOf<T, Row>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => T,
  cursorOf: (row: Row) => string,
): { data: T[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(show), next_cursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

/** For query strings: what can't be stored can't be found either. */
export const queryText = (most: number = LIMITS.textLength) =>
  text(most).refine(isStorable, { error: 'Not valid Unicode text.' });
