import { findDoubts, prove, settleDoubt, takeUnproven } from '../db/doubts.ts';
import { forEach } from './for-each.ts';
import type { Deps } from './index.ts';

/** Younger ones may yet be proven by a later task. Milliseconds. */
const GRACE = 5_000;
const BATCH = 200;

/** Orders whose workflow may know less than is stored: see db/doubts.ts. */
export function doubtActivities({ db, gateway, now, log }: Deps) {
  return {
    /** An order in doubt looks at what is stored. */
    async settleDoubts(): Promise<number> {
      const doubts = await findDoubts(db, BATCH);
      await forEach(doubts, async (one) => {
        await gateway.lookAgain(one.id);
        await settleDoubt(db, one);
      });
      if (doubts.length > 0) log.warn({ orders: doubts.length }, 'told orders in doubt to look at what is stored');
      return doubts.length;
    },

    /** An order that may have lost what it granted looks at what is stored. */
    async proveWishes(): Promise<number> {
      const unproven = await takeUnproven(db, new Date(now() - GRACE), BATCH);
      let lost = 0;
      await forEach(unproven, async (one) => {
        const state = await gateway.stateOf(one.id);
        if (state === 'at work') return;
        if (state === 'at rest' && !(await gateway.knows(one.id, one.version))) {
          await gateway.lookAgain(one.id);
          lost++;
        }
        await prove(db, one);
      });
      if (lost > 0) log.warn({ orders: lost }, 'told orders that had lost a wish to look at what is stored');
      return lost;
    },
  };
}
