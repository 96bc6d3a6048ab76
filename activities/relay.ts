import { forgetOldKeys } from '../db/idempotency.ts';
import { forgetOldGuesses } from '../db/pickup.ts';
import { rollUpSums } from '../db/rollup.ts';
import { findUnstarted, markStarted } from '../db/orders.ts';
import type { OrderId } from '../domain/ids.ts';
import { forEach } from './for-each.ts';
import type { Deps } from './index.ts';

/** Younger ones are still in the hands of whoever took them in. Milliseconds. */
const GRACE = 5_000;
const BATCH = 200;
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
