import { sql, type Kysely } from 'kysely';
import type { OrderId } from '../domain/ids.ts';
import type { Database } from './schema.ts';

/** `hash`: a keyed hash of the code, to find it by; `code`: sealed; `machineNo`: the only machine it is good for. */
export type NewPickupCode = { hash: Buffer; code: string; machineNo: string | null };

/** Another live order of the merchant has this code. */
export class CodeTaken extends Error {}

const UNIQUE_VIOLATION = '23505';

/** @throws CodeTaken if that was it, else the same error */
export function codeTaken(error: unknown): never {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  throw code === UNIQUE_VIOLATION && constraint === 'pickup_codes_live' ? new CodeTaken() : error;
}

/** @param hashes of the code, by each key that is known. @returns the order whose code it is, or was last, at this machine */
export async function findCode(
  db: Kysely<Database>,
  { merchant, machineNo, hashes }: { merchant: string; machineNo: string; hashes: readonly Buffer[] },
): Promise<OrderId | null> {
  const row = await db
    .selectFrom('pickup_codes')
    .select('order_id')
    .where('merchant_id', '=', merchant)
    .where('hash', 'in', hashes)
    .where((is) => is.or([is('machine_no', 'is', null), is('machine_no', '=', machineNo)]))
    .orderBy('live', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (row?.order_id as OrderId | undefined) ?? null;
}

export type Keypad = { merchant: string; machineNo: string };
const WITHIN = sql`interval '1 minute'`;

/**
 * Counts a guess before anybody looks whether it is right, so that many at once, at any number of API processes, are no
 * more guesses than `most` in a minute; what was right is taken back.
 * @returns when it was counted, or how long to wait for the next one (milliseconds)
 */
export async function countGuess(
  db: Kysely<Database>,
  { merchant, machineNo }: Keypad,
  most: number,
): Promise<{ guess: string } | { waitMs: number }> {
  const { rows } = await sql<{ guess: string | null; wait_ms: number }>`
    with counted as (
      insert into pickup_guesses as g (merchant_id, machine_no, wrong_at, last_at)
      values (${merchant}, ${machineNo}, array[clock_timestamp()], clock_timestamp())
      on conflict (merchant_id, machine_no) do update set last_at = clock_timestamp(),
        wrong_at = array(select at from unnest(g.wrong_at) at where at > clock_timestamp() - ${WITHIN})
          || clock_timestamp()
      where (select count(*) from unnest(g.wrong_at) at where at > clock_timestamp() - ${WITHIN}) < ${most}
      returning wrong_at[cardinality(wrong_at)]::text as guess)
    select (select guess from counted) as guess, coalesce((
      select extract(epoch from min(at) + ${WITHIN} - clock_timestamp()) * 1000
      from pickup_guesses g, unnest(g.wrong_at) at
      where g.merchant_id = ${merchant} and g.machine_no = ${machineNo} and at > clock_timestamp() - ${WITHIN}
    ), 0)::float8 as wait_ms`.execute(db);
  const { guess, wait_ms } = rows[0]!;
  return guess === null ? { waitMs: wait_ms } : { guess };
}

/** It was right. */
export async function takeGuessBack(
  db: Kysely<Database>,
  { merchant, machineNo }: Keypad,
  guess: string,
): Promise<void> {
  await sql`
    update pickup_guesses set wrong_at = array_remove(wrong_at, ${guess}::timestamptz)
    where merchant_id = ${merchant} and machine_no = ${machineNo}`.execute(db);
}

export async function forgetOldGuesses(db: Kysely<Database>, before: Date): Promise<void> {
  await db.deleteFrom('pickup_guesses').where('last_at', '<', before).execute();
}
