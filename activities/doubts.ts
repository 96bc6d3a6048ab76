import { findDoubts, proven, settleDoubt, takeUnproven, type Unproven } from '../db/doubts.ts';
import { forEach } from './for-each.ts';
import type { Deps } from './index.ts';

/** Younger ones may yet be proven by a later task. Milliseconds. */
const GRACE = 5_000;
const BATCH = 200;
/** The relay has more to do. Milliseconds. */
const LASTS = 15_000;
const AT_ONCE = 10;

/** Orders whose workflow may know less than is stored: see db/doubts.ts. */
export function doubtActivities({ db, gateway, now, log }: Deps) {
  /** @returns whether it was told to look. What is at work, or gives no answer, or is yet to look, comes up again. */
  async function lookIfLost({ id, ...save }: Unproven): Promise<boolean> {
    const state = await gateway.stateOf(id);
    if (state === 'at work') return false;
    const isLost = state === 'at rest' && !(await gateway.knows(id, save));
    if (isLost) await gateway.lookAgain(id);
    else await proven(db, { id, version: save.version });
    return isLost;
  }

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
      const end = now() + LASTS;
      const unproven = await takeUnproven(db, new Date(now() - GRACE), BATCH);
      let lost = 0;
      for (let first = 0; first < unproven.length && now() < end; first += AT_ONCE) {
        const looks = await Promise.allSettled(unproven.slice(first, first + AT_ONCE).map(lookIfLost));
        lost += looks.filter((look) => look.status === 'fulfilled' && look.value).length;
        const failed = looks.filter((look) => look.status === 'rejected');
        if (failed.length === looks.length) throw failed[0]!.reason; // An outage, not the fault of one order.
      }
      if (lost > 0) log.warn({ orders: lost }, 'told orders that had lost a wish to look at what is stored');
      return lost;
    },
  };
}
