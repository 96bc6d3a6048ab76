const BEIJING_MS = 8 * 3600 * 1000;

/** `yyyy-MM-dd HH:mm:ss` on a clock in Beijing, as Alipay writes every time. */
export function beijingTime(at: number): string {
  return new Date(at + BEIJING_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** Epoch milliseconds of such a time; undefined for anything else, also a day that there is not. */
export function instantOf(time: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(time)) return undefined;
  const at = Date.parse(`${time.replace(' ', 'T')}Z`) - BEIJING_MS;
  return Number.isNaN(at) || beijingTime(at) !== time ? undefined : at;
}

/** `yyyyMMdd`, as it stands inside Alipay's numbers. */
export function beijingDay(at: number): string {
  return beijingTime(at).slice(0, 10).replaceAll('-', '');
}
