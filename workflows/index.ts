export { notifier } from './notifier.ts';
export { order } from './order.ts';
export { relay } from './relay.ts';
