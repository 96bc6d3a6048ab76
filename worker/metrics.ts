import type { Registry } from 'prom-client';
import { notificationAttempts } from '../notifications/attempts.ts';
import { providerCalls } from '../providers/guarded.ts';

/** What workers count: they are who calls providers and merchants. */
export function showWorkerMetrics(registry: Registry): void {
  registry.registerMetric(providerCalls);
  registry.registerMetric(notificationAttempts);
}
