export { notifier } from './notifier.ts';
export { order } from './order.ts';
export { reconciliation } from './reconciliation.ts';
export { relay } from './relay.ts';
export { rollUp } from './roll-up.ts';
