/** Nobody is left alone for longer. Milliseconds. */
const LONGEST_MS = 24 * 3_600_000;

/** RFC 9110, 10.2.3: seconds or a date. @returns milliseconds from `now` on; null: not given, or not readable */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_MS);
}
