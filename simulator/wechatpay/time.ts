const BEIJING_MS = 8 * 3600 * 1000;

/** RFC 3339 with the zone that WeChat Pay writes, whatever the server's own. */
export function beijingTime(at: number): string {
  return `${new Date(at + BEIJING_MS).toISOString().slice(0, 19)}+08:00`;
}

/** `yyyyMMdd`, as it stands inside the provider's numbers. */
export function beijingDay(at: number): string {
  return beijingTime(at).slice(0, 10).replaceAll('-', '');
}
