import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courseTime, periodOf } from '../../../api/course/time.ts';

const at = (text: string) => Date.parse(text);
/** 10 July 2018, 17:00:33 in Shanghai: the source's own moment. */
const NOW = at('2018-07-10T09:00:33Z');

describe.each(['UTC', 'America/New_York'])('on a server in %s', (zone) => {
  const before = process.env['TZ'];
  beforeAll(() => {
    process.env['TZ'] = zone;
    expect(new Date(NOW).getHours()).toBe(zone === 'UTC' ? 9 : 5);
  });
  afterAll(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });

  it.each([
    ['2018-07-05T02:57:18Z', '2018-07-05 10:57:18'],
    ['2018-07-05T15:59:59.999Z', '2018-07-05 23:59:59'],
    ['2018-07-05T16:00:00Z', '2018-07-06 00:00:00'],
  ])('%s is %s in Shanghai', (utc, shown) => expect(courseTime(at(utc))).toBe(shown));

  describe('time_para', () => {
    it.each([
      ['0', '2018-07-09T16:00:00Z', '2018-07-10T16:00:00Z'],
      ['1', '2018-07-08T16:00:00Z', '2018-07-09T16:00:00Z'],
      ['-7', '2018-07-03T16:00:00Z', '2018-07-10T16:00:00Z'],
      ['-30', '2018-06-10T16:00:00Z', '2018-07-10T16:00:00Z'],
    ])('%s is from %s to %s', (para, from, to) => expect(periodOf(para, NOW)).toEqual({ from: at(from), to: at(to) }));

    it('30 is all that -30 is not', () => {
      expect(periodOf('30', NOW)).toEqual({ from: null, to: periodOf('-30', NOW)!.from });
    });

    it('changes at midnight in Shanghai', () => {
      const midnight = at('2018-07-10T16:00:00Z');
      expect(periodOf('0', midnight - 1)!.to).toBe(midnight);
      expect(periodOf('0', midnight)!.from).toBe(midnight);
      expect(periodOf('1', midnight)).toEqual(periodOf('0', midnight - 1));
    });

    it.each(['', '2', '7', '-1', '00', 'today'])('%j is none', (para) => expect(periodOf(para, NOW)).toBeNull());
  });
});
