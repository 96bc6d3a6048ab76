const BEIJING_MS = 8 * 3600 * 1000;
const COMPACT = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/** `yyyyMMddHHmmss` in China, whatever the server's own zone. */
export function compactTime(at: number): string {
  return new Date(at + BEIJING_MS).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
}

/** Epoch milliseconds; undefined for what is no moment in that form. */
export function compactInstant(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = COMPACT.exec(text) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
  return Number.isNaN(at) || compactTime(at) !== text ? undefined : at;
}
