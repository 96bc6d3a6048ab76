import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Refused } from '../client/refused.ts';
import type { StoredOrder } from '../db/orders.ts';
import { countGuess, findCode, takeGuessBack } from '../db/pickup.ts';
import { LIMITS } from '../domain/limits.ts';
import type { ApiEnv, Services } from './env.ts';
import { RELEASED } from './examples.ts';
import { text } from './fields.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { orderBody } from './order-view.ts';
import { hashesOf } from './pickup-code.ts';
import { Problem, retryAfter } from './problem.ts';
import { OrderItem } from './schemas.ts';
import { ask, loadOrder } from './wishes.ts';

const CODE_LENGTH = 64;
const Released = z
  .object({
    order_id: z.string(),
    items: z.array(
      OrderItem.extend({ quantity_released: z.int().openapi({ description: 'How many to hand out now' }) }).openapi(
        'ReleasedItem',
      ),
    ),
  })
  .openapi({ example: RELEASED });

const pickupRoute = operation(
  { scope: 'machines' },
  {
    method: 'post',
    path: '/v1/machines/{machine_no}/pickup',
    operationId: 'redeemPickupCode',
    tags: ['Delivery'],
    summary: 'Redeem a pick-up code',
    description:
      'Hands out what the code opens, once: also at two machines in the same instant. A code that is wrong, used, ' +
      'expired or for another machine, of a test order, or of an order with a refund under review is refused alike. ' +
      `At most ${LIMITS.wrongCodesPerMinute} such codes per machine and minute. Send an \`Idempotency-Key\`, so that ` +
      'a repeated request is the same redemption.',
    request: {
      params: z.object({ machine_no: text() }),
      body: body(z.strictObject({ code: text(CODE_LENGTH) }).openapi({ example: { code: '482 019 375' } })),
    },
    responses: { 200: json('What to hand out', Released) },
  },
  ['pickup_code_invalid', 'rate_limited'],
);

export const pickupRoutes = (services: Services) =>
  newRouter().openapi(pickupRoute, async (c) => {
    const { machine_no: machineNo } = c.req.valid('param');
    const stored = await guessed(services, c, machineNo, () =>
      redeemed(services, c, machineNo, c.req.valid('json').code),
    );
    return c.json(released(services, c, stored), 200);
  });

/** A code that opens nothing is a guess; who guesses too often has to wait. */
async function guessed<T>(
  { db }: Services,
  c: Context<ApiEnv>,
  machineNo: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const keypad = { merchant: c.var.caller.merchant.id, machineNo };
  const counted = await countGuess(db, keypad, LIMITS.wrongCodesPerMinute);
  if ('waitMs' in counted)
    throw new Problem('rate_limited', 'Too many wrong codes at this machine.', {
      headers: retryAfter(Math.max(1, Math.ceil(counted.waitMs / 1000))),
    });
  try {
    const outcome = await attempt();
    await takeGuessBack(db, keypad, counted.guess);
    return outcome;
  } catch (error) {
    if (!isInvalid(error)) await takeGuessBack(db, keypad, counted.guess);
    throw error;
  }
}

const isInvalid = (error: unknown): boolean => error instanceof Problem && error.code === 'pickup_code_invalid';

/** @throws Problem pickup_code_invalid, the same whatever the reason */
async function redeemed(services: Services, c: Context<ApiEnv>, machineNo: string, code: string): Promise<StoredOrder> {
  const { db, sealer } = services;
  const { caller } = c.var;
  const merchant = caller.merchant.id;
  const order = await findCode(db, { merchant, machineNo, hashes: hashesOf(sealer, merchant, code) });
  if (order === null) throw new Problem('pickup_code_invalid');
  const by = { type: 'machine', name: machineNo } as const;
  const redemption = c.get('seed')?.ids ?? randomUUID();
  try {
    const found = await loadOrder(services, caller, order);
    const { stored } = await ask(services, c, { type: 'redeem_code', redemption, by }, found);
    c.set('order', order);
    return stored;
  } catch (error) {
    throw error instanceof Refused ? new Problem('pickup_code_invalid') : error;
  }
}

function released(services: Services, c: Context<ApiEnv>, stored: StoredOrder): z.infer<typeof Released> {
  const quantities = new Map(stored.order.redemption?.items.map(({ item, quantity }) => [item as string, quantity]));
  const { id, items } = orderBody(services, c.var.caller, stored);
  const handedOut = items.flatMap((item) => {
    const quantity_released = quantities.get(item.id);
    return quantity_released === undefined ? [] : { ...item, quantity_released };
  });
  return { order_id: id, items: handedOut };
}
