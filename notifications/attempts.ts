import { Histogram } from 'prom-client';

/** `outcome`: delivered, failed (it is tried again), given_up (the last try failed too), gone (410: switched off). */
export const notificationAttempts = new Histogram({
  name: 'orders_notification_attempt_duration_seconds',
  help: 'How long attempts to tell merchants took, by outcome: delivered, failed (tried again), given_up, gone (410)',
  labelNames: ['outcome'],
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  registers: [],
});
