/** One SQL statement, as it was sent. */
export type Statement = { text: string; /** How long its answer took. */ ms: number };

/**
 * What is asked now and then, however many orders there are: keys and accounts are kept for some seconds, the relay
 * looks every ten. Not part of an order's cost.
 */
const UPKEEP: readonly RegExp[] = [
  /from "api_keys"/,
  /from "provider_accounts"/,
  /from "notices" where "processed_at" is null/,
  /from "orders" where "run_id" is null/,
  /delete from "idempotency_keys"/,
];

/** Statements of a form too long to be read, by what they do. */
const NAMES: readonly [RegExp, string][] = [
  [/insert into orders /, 'create: order, items and timeline in one statement'],
  [/update orders set/, 'save: order, items, payments, refunds, ledger, timeline, outbox and notices in one statement'],
  [/insert into notices /, 'keep a notice and find its order'],
  [/insert into idempotency_keys/, 'claim an Idempotency-Key'],
];
const LONGEST = 100;

export const isUpkeep = ({ text }: Statement): boolean => UPKEEP.some((form) => form.test(text));

/** In one line, short enough for a table. */
export function nameOf({ text }: Statement): string {
  const name = NAMES.find(([form]) => form.test(text))?.[1] ?? text.replace(/\s+/g, ' ').trim();
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}
