import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pauseBetweenAskings } from '../../activities/payments.ts';
import { PAUSES } from '../../domain/limits.ts';

const MONTH = 30 * 86_400_000;

/** Rule 6. */
it('a payment whose notice is lost is found within a minute, or a tenth of its age', () => {
  expect(PAUSES.firstAsking).toBeLessThan(60_000);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MONTH }), (age) => {
      expect(pauseBetweenAskings(age)).toBeLessThan(Math.max(60_000, age / 10));
    }),
  );
});
