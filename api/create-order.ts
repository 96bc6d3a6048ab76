import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { createOrder, markStarted, storedFrom, type OrderToCreate, type StoredOrder } from '../db/orders.ts';
import { CodeTaken } from '../db/pickup.ts';
import type { Channel } from '../db/schema.ts';
import type { OrderId } from '../domain/ids.ts';
import type { PayableAs } from '../domain/order.ts';
import { hasCode } from '../domain/pickup.ts';
import { inBackground } from './background.ts';
import type { Caller } from './caller.ts';
import { customerHash } from './customer-hash.ts';
import type { ApiEnv, Services } from './env.ts';
import { orderFrom, pickupMachineOf, type NewOrderBody } from './new-order.ts';
import { personalContext } from './order-view.ts';
import { newPickupCode } from './pickup-code.ts';

/**
 * Where an order comes from. `application`: by which vending application; `number`, `payableAs`: given where its own
 * number stands in what it is payable under.
 */
export type Origin = {
  id: OrderId;
  channel: Channel;
  application?: string;
  number?: number;
  payableAs?: PayableAs | null;
};

/**
 * The row first; the workflow starts while the answer is on its way, and a relay starts what a crash left behind.
 * @returns the new order, or the id of the merchant's order that has this number (it may be this very one)
 */
export async function createFrom(
  services: Services,
  c: Context<ApiEnv>,
  wanted: z.infer<typeof NewOrderBody>,
  origin: Origin,
): Promise<StoredOrder | { takenBy: OrderId }> {
  const outcome = await insertFrom(services, c.var.caller, wanted, origin);
  if ('takenBy' in outcome) return outcome;
  begin(services, c, outcome);
  return outcome.stored;
}

export type Inserted = { stored: StoredOrder; endpoints: string[] };

/** The row alone: whoever asks for it begins the order once it is committed. */
export async function insertFrom(
  services: Pick<Services, 'db' | 'sealer' | 'now'>,
  caller: Caller,
  wanted: z.infer<typeof NewOrderBody>,
  { id, channel, application, number, payableAs = null }: Origin,
): Promise<Inserted | { takenBy: OrderId }> {
  const { sealer, now } = services;
  const { personalData, ...made } = orderFrom(wanted, { id, caller, now: now(), payableAs });
  const customer = personalData?.customer?.id ?? null;
  return write(services, {
    ...made,
    channel,
    details: { ...made.details, ...(application !== undefined && { application }) },
    personal: personalData && sealer.seal(personalData, personalContext(id)),
    customerHash: customer === null ? null : customerHash(sealer, caller.merchant.id, customer),
    ...(number !== undefined && { number }),
  });
}

/** Whoever is to be told is told, and its workflow starts. */
export function begin(services: Services, c: Context<ApiEnv>, { stored, endpoints }: Inserted): void {
  services.notifiers.tellSoon(endpoints, 0);
  inBackground(services, start(services, c, stored));
}

/** With a pick-up code of its own; one that a live order has already is drawn again. */
async function write(
  services: Pick<Services, 'db' | 'sealer'>,
  made: Omit<OrderToCreate, 'pickupCode'>,
): Promise<Inserted | { takenBy: OrderId }> {
  const { order, items } = made;
  const place = { order: order.id, merchant: order.merchant, machineNo: pickupMachineOf(items, order) };
  const created = { ...made, pickupCode: hasCode(order) ? newPickupCode(services.sealer, place) : null };
  try {
    const outcome = await createOrder(services.db, created);
    if ('takenBy' in outcome) return outcome;
    return { stored: storedFrom(created, outcome.numbers), endpoints: outcome.endpoints };
  } catch (error) {
    if (!(error instanceof CodeTaken)) throw error;
    return write(services, made);
  }
}

async function start({ db, gateway }: Services, c: Context<ApiEnv>, stored: StoredOrder): Promise<void> {
  const { id } = stored.order;
  try {
    await markStarted(db, id, await gateway.start(stored));
  } catch (error) {
    c.var.log.warn({ order: id, err: error }, 'not started yet; a relay will');
  }
}
