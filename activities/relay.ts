import { findDoubts, settleDoubt } from '../db/doubts.ts';
import { forgetOldKeys } from '../db/idempotency.ts';
import { forgetOldGuesses } from '../db/pickup.ts';
import { rollUpSums } from '../db/rollup.ts';
import { findUnstarted, markStarted } from '../db/orders.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Deps } from './index.ts';

/** Younger ones are still in the hands of whoever took them in. Milliseconds. */
const GRACE = 5_000;
const BATCH = 200;
/** So many failures in a row are an outage, not the fault of one order. */
const MOST_FAILURES = 10;
const DAY = 86_400_000;
const OLDEST_NOTICE = 30 * DAY;

/** Takes up what a crash, or an outage of Temporal, left behind. */
export function relayActivities({ db, gateway, now, log }: Deps) {
  const before = () => new Date(now() - GRACE);
  return {
    async relayNotices(): Promise<number> {
      const left = await db
        .selectFrom('notices')
        .select(['id', 'order_id'])
        .where('processed_at', 'is', null)
        .where('order_id', 'is not', null)
        .where('received_at', '<', before())
        .where('received_at', '>', new Date(now() - OLDEST_NOTICE))
        .orderBy('received_at')
        .limit(BATCH)
        .execute();
      await forEach(left, ({ id, order_id }) => gateway.tellNotice(order_id as OrderId, id));
      if (left.length > 0) log.warn({ notices: left.length }, 'relayed notices that nobody had been told of');
      return left.length;
    },

    async startLeftOrders(): Promise<number> {
      const left = await findUnstarted(db, before(), BATCH);
      await forEach(left, async (stored) => markStarted(db, stored.order.id, await gateway.start(stored)));
      if (left.length > 0) log.warn({ orders: left.length }, 'started orders that had been left unstarted');
      return left.length;
    },

    /** An order in doubt looks at what is stored: see db/doubts.ts. */
    async settleDoubts(): Promise<number> {
      const doubts = await findDoubts(db, BATCH);
      await forEach(doubts, async (one) => {
        await gateway.lookAgain(one.id);
        await settleDoubt(db, one);
      });
      if (doubts.length > 0) log.warn({ orders: doubts.length }, 'told orders in doubt to look at what is stored');
      return doubts.length;
    },

    /** A large order goes on in a new run, which the server may hold back until the first one was to start. */
    async wakeOrders(): Promise<number> {
      const asleep = await gateway.asleep(BATCH);
      await forEach(asleep, (id) => gateway.wake(id));
      return asleep.length;
    },

    rollUp: (): Promise<void> => rollUpSums(db, new Date(now())),

    /** Idempotency keys are kept for at least a day; guessed pick-up codes matter for a minute. */
    async forgetOldKeys(): Promise<void> {
      await forgetOldKeys(db, new Date(now() - 2 * DAY));
      await forgetOldGuesses(db, new Date(now() - DAY));
    },
  };
}

/** One that can't be told must not hold back the others. @throws what went wrong last, once the rest is done */
async function forEach<T>(left: readonly T[], tell: (one: T) => Promise<void>): Promise<void> {
  let trouble: { error: unknown } | null = null;
  let inARow = 0;
  for (const one of left) {
    try {
      await tell(one);
      inARow = 0;
    } catch (error) {
      trouble = { error };
      if (++inARow === MOST_FAILURES) break;
    }
  }
  if (trouble) throw trouble.error;
}
