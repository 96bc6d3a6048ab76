import { dayAfter, dayAt, startOf } from '../../domain/day.ts';

/** Times as course clients know them: of Shanghai, whatever the server's zone. */
const ZONE = 'Asia/Shanghai';

/** `yyyy-mm-dd`. @param at epoch milliseconds */
export const courseDay = (at: number): string => dayAt(at, ZONE);

/** `yyyy-mm-dd hh:mm:ss`. @param at epoch milliseconds */
export function courseTime(at: number): string {
  const day = dayAt(at, ZONE);
  const sinceMidnight = new Date(Math.floor((at - startOf(day, ZONE)) / 1000) * 1000);
  return `${day} ${sinceMidnight.toJSON().slice(11, 19)}`;
}

/** From inclusive, to exclusive, epoch milliseconds; null: open. */
export type Period = { from: number | null; to: number | null };

/**
 * What `time_para` means: 0 today, 1 yesterday, -7 and -30 the last days with today, 30 what is older than those of -30.
 * @returns null for any other one
 */
export function periodOf(timePara: string, now: number): Period | null {
  const today = dayAt(now, ZONE);
  const startsDaysAgo = (days: number): number => startOf(dayAfter(today, -days), ZONE);
  switch (timePara) {
    case '0':
      return { from: startsDaysAgo(0), to: startsDaysAgo(-1) };
    case '1':
      return { from: startsDaysAgo(1), to: startsDaysAgo(0) };
    case '-7':
      return { from: startsDaysAgo(6), to: startsDaysAgo(-1) };
    case '-30':
      return { from: startsDaysAgo(29), to: startsDaysAgo(-1) };
    case '30':
      return { from: null, to: startsDaysAgo(29) };
    default:
      return null;
  }
}
