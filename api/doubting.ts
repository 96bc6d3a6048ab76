import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderGateway } from '../client/gateway.ts';
import { ProviderProblem, Refused } from '../client/refused.ts';
import { doubt } from '../db/doubts.ts';
import type { OrderId } from '../domain/ids.ts';
import { inBackground } from './background.ts';
import type { ApiDeps, Lifecycle } from './env.ts';

const PAUSE_MS = 1_000;

/** Remembers each order of which somebody wished something without learning what came of it: see db/doubts.ts. */
export function doubting(gateway: OrderGateway, services: ApiDeps & Lifecycle): OrderGateway {
  const { db, log, stopping } = services;
  /** The database may be away too; at the latest when it is back. */
  const remember = async (id: OrderId): Promise<void> => {
    for (;;) {
      try {
        return await doubt(db, id);
      } catch (error) {
        log.warn({ order: id, err: error }, 'could not remember that an order is in doubt');
        if (stopping.aborted) return;
        await sleep(PAUSE_MS, null, { signal: stopping }).catch(() => {});
      }
    }
  };
  return {
    ...gateway,
    ask: (id, ...wish) =>
      gateway.ask(id, ...wish).catch((error: unknown) => {
        if (!(error instanceof Refused || error instanceof ProviderProblem)) inBackground(services, remember(id));
        throw error;
      }),
  };
}
