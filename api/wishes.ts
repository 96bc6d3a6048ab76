import type { Context } from 'hono';
import { Refused } from '../client/refused.ts';
import { findOrder, type StoredOrder } from '../db/orders.ts';
import type { Wish } from '../domain/commands.ts';
import { decide } from '../domain/decide.ts';
import type { Decision } from '../domain/decision.ts';
import { isSettled } from '../domain/duties.ts';
import { isOpen, type Actor, type Order } from '../domain/order.ts';
import type { Granted } from '../workflows/messages.ts';
import type { Caller } from './caller.ts';
import type { ApiEnv, Services } from './env.ts';
import { isOrderId } from './ids.ts';
import { notFound } from './problem.ts';

/** @throws Problem not_found, also for another merchant's order */
export async function loadOrder({ db }: Pick<Services, 'db'>, caller: Caller, id: string): Promise<StoredOrder> {
  const stored = isOrderId(id) ? await findOrder(db, id, caller.merchant.id) : null;
  if (!stored) throw notFound();
  return stored;
}

/** A wish of whoever calls; `by`: on whose behalf, if not their own. */
export type OwnWish = { [T in Wish['type']]: Omit<Extract<Wish, { type: T }>, 'by'> }[Wish['type']] & { by?: Actor };

/**
 * Asks the order of this call for something, and waits until it is done and saved. What the stored order refuses
 * already, or has done already, wakes no workflow; but where that is in doubt, only the workflow knows.
 * @param loaded the order, where it was read just now
 * @param check a last look before the order is asked; it may throw
 * @throws Refused, ProviderProblem, or what Temporal's client throws
 */
export async function ask(
  services: Services,
  c: Context<ApiEnv>,
  wanted: OwnWish,
  loaded?: StoredOrder,
  check?: () => Promise<void>,
): Promise<{ stored: StoredOrder; granted: Granted | null }> {
  const { caller } = c.var;
  const stored = loaded ?? (await loadOrder(services, caller, c.req.param('id') ?? ''));
  const wish = { by: caller.actor, ...wanted } as Wish;
  if (stored.row.doubted_at === null) {
    const decision = decide(stored.order, wish, services.now());
    if ('refused' in decision) throw new Refused(decision.refused);
    if (isDone(stored.order, wish, decision)) return { stored, granted: null };
  }
  await check?.();
  const granted = await services.gateway.ask(stored.order.id, wish, c.get('seed')?.wish);
  return { stored: await loadOrder(services, caller, stored.order.id), granted };
}

/** Nothing would change, and nothing is under way that an answer should wait for. */
function isDone(order: Order, wish: Wish, decision: Extract<Decision, { events: unknown }>): boolean {
  if (decision.events.length > 0) return false;
  if (wish.type === 'open_payment')
    return order.payments.some((p) => isOpen(p) && p.method === wish.method && p.action !== null);
  if (wish.type === 'cancel') return order.ending === null;
  return wish.type !== 'retry' || isSettled(order);
}
