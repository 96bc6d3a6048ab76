import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderGateway } from '../client/gateway.ts';
import type { ApiDeps, Impatient } from './env.ts';
import { Problem, retryAfter } from './problem.ts';

/** Most calls have their answer by then. */
const FIRST_LOOK_MS = 400;
const NEXT_LOOK_MS = 500;
/** Many calls that wait share one look; a call's first one is never of before it began. */
const FRESH_MS = 300;

/** Without either, no change of an order comes to its end. */
const NEEDED = ['temporal', 'database'];

/**
 * A wish may take its time: a provider is asked first, another update goes before. So a slow answer alone says
 * nothing; but once Temporal or the database turns out to be away, whoever waits is told so instead of waiting on.
 * @param ready its parts "temporal" and "database" say whether they answer
 * @returns the gateway like that, and the same for whatever else takes its time
 */
export function impatient(gateway: OrderGateway, ready: ApiDeps['ready']): Impatient {
  const isAway = sharedLook(async () => (await ready()).some(({ name, ready: is }) => NEEDED.includes(name) && !is));
  const unlessAway = <T>(call: Promise<T>) => raced(call, isAway);
  return {
    unlessAway,
    gateway: {
      ...gateway,
      ask: (...args) => unlessAway(gateway.ask(...args)),
      tellDelivery: (...args) => unlessAway(gateway.tellDelivery(...args)),
      live: (...args) => unlessAway(gateway.live(...args)),
    },
  };
}

async function raced<T>(call: Promise<T>, isAway: () => Promise<boolean>): Promise<T> {
  const answered = new AbortController();
  const { signal } = answered;
  const watch = async (): Promise<never> => {
    for (let pause = FIRST_LOOK_MS; ; pause = NEXT_LOOK_MS) {
      await sleep(pause, null, { signal });
      if (await isAway()) throw away();
    }
  };
  const watching = watch();
  watching.catch(() => {}); // An answer ends it in the middle of its pause.
  try {
    return await Promise.race([call, watching]);
  } finally {
    answered.abort();
  }
}

const away = () =>
  new Problem('temporarily_unavailable', 'Orders can not be changed at the moment.', {
    headers: retryAfter(),
  });

function sharedLook(look: () => Promise<boolean>): () => Promise<boolean> {
  let last: { at: number; seen: Promise<boolean> } | null = null;
  return () => {
    if (!last || Date.now() - last.at > FRESH_MS) last = { at: Date.now(), seen: look().catch(() => false) };
    return last.seen;
  };
}
