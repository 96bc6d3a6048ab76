import type { Wish } from '../domain/commands.ts';
import type { OrderId } from '../domain/ids.ts';
import type { StoredOrder } from '../db/orders.ts';
import type { OrderView } from '../domain/view.ts';
import type { DeliveryReportSignal, Granted } from '../workflows/messages.ts';

/** The orders' workflows, as the API needs them. Every call may throw what Temporal's client throws: see problem.ts. */
export type OrderGateway = {
  /** Starts a new order's workflow; one that runs already is left alone. @returns its run id */
  start(stored: StoredOrder): Promise<string>;
  /**
   * Asks for something; wakes the order, or opens it again if it was closed. The same `key` is the same wish.
   * @throws Refused with the domain's refusal
   */
  ask(id: OrderId, wish: Wish, key?: string): Promise<Granted>;
  /** Tells that a verified notice is waiting in the database. */
  tellNotice(id: OrderId, noticeId: string): Promise<void>;
  tellDelivery(id: OrderId, report: DeliveryReportSignal): Promise<void>;
  /** The running workflow's own answer; null if it isn't running (yet, or any more). */
  live(id: OrderId): Promise<OrderView | null>;
};
