/** So many failures in a row are an outage, not the fault of one order. */
const MOST_FAILURES = 10;

/** One that can't be told must not hold back the others. @throws what went wrong last, once the rest is done */
export async function forEach<T>(left: readonly T[], tell: (one: T) => Promise<void>): Promise<void> {
  let trouble: { error: unknown } | null = null;
  let inARow = 0;
  for (const one of left) {
    try {
      await tell(one);
      inARow = 0;
    } catch (error) {
      trouble = { error };
      if (++inARow === MOST_FAILURES) break;
    }
  }
  if (trouble) throw trouble.error;
}
