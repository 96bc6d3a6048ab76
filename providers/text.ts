/** Text and times as Chinese providers want them. */

/** The longest beginning of `text` that fits, on one line and in whole code points. */
export function withinBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.alloc(maxBytes);
  // encodeInto() never writes half a code point, and writes a lone surrogate as U+FFFD.
  const { written } = new TextEncoder().encodeInto(text.replace(/\p{Cc}+/gu, ' ').trim(), bytes);
  return bytes.toString('utf8', 0, written);
}

const BEIJING_MS = 8 * 60 * 60 * 1000;

/** RFC 3339 in China's time, cut to the second: `2026-11-21T10:30:00+08:00`. @param epochMs epoch milliseconds */
export function beijingTime(epochMs: number): string {
  return `${new Date(epochMs + BEIJING_MS).toISOString().slice(0, 19)}+08:00`;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Epoch milliseconds of an RFC 3339 time; undefined for anything else, also a time without its offset. */
export function instantOf(time: string | null | undefined): number | undefined {
  const epochMs = time && RFC_3339.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** People need the sentence; but a word of eight or more with a digit in it may be an openid, a phone, a number. */
export function maskedSentence(message: string): string {
  const safe = message.replace(/[\w-]{8,}/g, (word) => (/\d/.test(word) ? '…' : word));
  return withinBytes(safe, 300);
}

/** `yyyyMMddHHmmss` in China's time, cut to the second. @param epochMs epoch milliseconds */
export function compactBeijingTime(epochMs: number): string {
  return beijingTime(epochMs).slice(0, 19).replaceAll(/[-:T]/g, '');
}

/** Epoch milliseconds of a `yyyyMMddHHmmss` in China's time; undefined for anything else. */
export function instantOfCompact(time: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time) ?? [];
  return instantOf(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
}
