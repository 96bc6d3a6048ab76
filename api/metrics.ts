import type { Kysely } from 'kysely';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { countFigures, type Figures } from '../db/figures.ts';
import type { Database } from '../db/schema.ts';

export type Metrics = {
  requests: Histogram<'method' | 'route' | 'status'>;
  notices: Counter<'provider' | 'outcome'>;
};

/** Scrapes may come from several places; the database is asked this often at most. */
const FRESH_MS = 5_000;

export function createMetrics(registry: Registry, db: Kysely<Database>): Metrics {
  const registers = [registry];
  registerFigures(registry, db);
  return {
    requests: new Histogram({
      name: 'orders_http_request_duration_seconds',
      help: 'How long requests took, by route',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    notices: new Counter({
      name: 'orders_provider_notices_total',
      help:
        'Notices of payment providers: accepted, repeated, unknown_order, foreign (for another merchant or app), ' +
        'unhandled (of a kind that no order waits for), rejected (bad signature), failed',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
  };
}

const FIGURES: Record<keyof Figures, { name: string; help: string }> = {
  ordersInAttention: { name: 'orders_in_attention', help: 'Orders that a person should look at' },
  refundsWaiting: { name: 'orders_refunds_requested', help: 'Refund applications that nobody has decided' },
  noticesWaiting: { name: 'orders_notices_unprocessed', help: 'Notices that no order has taken in yet' },
  ordersNotStarted: { name: 'orders_not_started', help: 'Orders whose workflow has not been started yet' },
  notificationsWaiting: { name: 'orders_notifications_waiting', help: 'Messages to merchants still to be delivered' },
  endpointsDisabled: {
    name: 'orders_webhook_endpoints_disabled',
    help: "Merchants' endpoints that are switched off: what waits for them waits until somebody enables them",
  },
  findingsOpen: {
    name: 'orders_reconciliation_findings_open',
    help: "Where the ledger and the providers' statements don't agree, and nobody has closed it",
  },
};

/** A database that is away leaves them as they were: other metrics must still be readable. */
function registerFigures(registry: Registry, db: Kysely<Database>): void {
  let asked: { at: number; figures: Promise<Figures | null> } | null = null;
  const figures = () => {
    if (!asked || Date.now() - asked.at > FRESH_MS)
      asked = { at: Date.now(), figures: countFigures(db).catch(() => null) };
    return asked.figures;
  };
  for (const [figure, { name, help }] of Object.entries(FIGURES) as [keyof Figures, { name: string; help: string }][])
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const counted = await figures();
        if (counted) this.set(counted[figure]);
      },
    });
}
