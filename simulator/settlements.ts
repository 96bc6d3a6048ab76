import type { Alarms } from './alarms.ts';
import type { Books } from './books.ts';
import type { Refund } from './records.ts';

/** How long a refund stays `processing` by itself. */
export const REFUND_DELAY_MS = 300;

type Parts = { books: Books; alarms: Alarms; now: () => number; settle: (refund: Refund) => void };

/** Brings processing refunds to their end, each at its time. */
export function createSettlements({ books, alarms, now, settle }: Parts) {
  const settleLater = ({ id, settlesAt }: Refund): void => {
    alarms.set(`refund/${id}`, settlesAt, () => {
      const refund = books.refund(id);
      if (refund?.status === 'processing') settle(refund);
    });
  };
  return {
    settleLater,
    /** After a start: the books know when each one is due. */
    resume: () => books.processingRefunds().forEach(settleLater),
    /** The fault `refund_delay_ms` ends: nothing waits longer than it would have by itself. */
    release: () => {
      const soon = now() + REFUND_DELAY_MS;
      for (const refund of books.processingRefunds().filter(({ settlesAt }) => settlesAt > soon)) {
        const sooner = { ...refund, settlesAt: soon };
        books.write({ refund: sooner });
        settleLater(sooner);
      }
    },
  };
}
