import { condition, defineSignal, proxyActivities, proxySinks, setHandler, type Sinks } from '@temporalio/workflow';

/** What an order is measured against: the same messages over Temporal alone, without database, rules and providers. */

export type BareActivities = { prepare(): Promise<void>; dispatch(): Promise<void> };
const { prepare, dispatch } = proxyActivities<BareActivities>({ startToCloseTimeout: '10s' });

export const payment = defineSignal('payment');
export const delivered = defineSignal('delivered');

/** How far a bare workflow has come. */
export type Stage = 'awaits payment' | 'awaits items' | 'awaits the last item' | 'done';

/** Tells the worker's process how far it is, at no cost to the history or the server: so its messages can be spaced. */
export interface BareSinks extends Sinks {
  bench: { reached(stage: Stage): void };
}
const { bench } = proxySinks<BareSinks>();

/** Start, activity, payment signal against a timer, activity, two item signals: 31 events, 6 workflow tasks. */
export async function bare(): Promise<void> {
  let isPaid = false;
  let items = 0;
  setHandler(payment, () => {
    isPaid = true;
  });
  setHandler(delivered, () => {
    items += 1;
  });
  await prepare();
  bench.reached('awaits payment');
  await condition(() => isPaid, '15 minutes');
  await dispatch();
  bench.reached('awaits items');
  await condition(() => items >= 1);
  bench.reached('awaits the last item');
  await condition(() => items >= 2);
  bench.reached('done');
}
