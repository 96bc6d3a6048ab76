/** Nobody is left alone for longer. Milliseconds. */
const LONGEST_MS = 24 * 3_600_000;

/** `Retry-After`, RFC 9110, 10.2.3: seconds or a date. @returns milliseconds from `now` on; undefined: none, or an odd one */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : /^[A-Za-z]/.test(value) ? Date.parse(value) - now : NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}
