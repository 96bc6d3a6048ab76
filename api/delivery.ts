import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Refused } from '../client/refused.ts';
import type { StoredOrder } from '../db/orders.ts';
import type { CommandOf } from '../domain/commands.ts';
import { decide } from '../domain/decide.ts';
import type { ItemId, OrderId } from '../domain/ids.ts';
import { itemOf } from '../domain/order.ts';
import type { ApiEnv, Services } from './env.ts';
import { quantity, reason, text } from './fields.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { orderBody } from './order-view.ts';
import { notFound, Problem, retryAfter } from './problem.ts';
import { ItemPath, Nothing, Order, OrderPath } from './schemas.ts';
import { ask, loadOrder } from './wishes.ts';

const tags = ['Delivery'];

const ReportBody = z
  .strictObject({
    status: z.enum(['delivering', 'delivered', 'picked_up', 'failed']),
    quantity: quantity().nullish().openapi({ description: 'How many have arrived in all; none: all that can' }),
    tracking: z.strictObject({ carrier: text(), number: text() }).nullish(),
    detail: reason().nullish(),
  })
  .openapi({ example: { status: 'delivering', tracking: { carrier: 'SF Express', number: 'SF1234567890' } } });

const reportRoute = operation(
  { scope: 'deliveries:write' },
  {
    method: 'post',
    path: '/v1/orders/{id}/items/{item_id}/delivery',
    operationId: 'reportDelivery',
    tags,
    summary: 'Report how a delivery goes',
    description: 'May come late, twice and in any order: a report that would go back changes nothing.',
    request: { params: ItemPath, body: body(ReportBody) },
    responses: { 200: json('The order', Order) },
  },
  ['invalid_state'],
);

const redeliverRoute = operation(
  { scope: 'deliveries:write' },
  {
    method: 'post',
    path: '/v1/orders/{id}/items/{item_id}/redeliver',
    operationId: 'redeliverItem',
    tags,
    summary: 'Deliver an item again',
    description: 'For an item that failed or timed out, unless its money is on its way back.',
    request: { params: ItemPath, body: body(Nothing, false) },
    responses: { 200: json('The order', Order) },
  },
  ['invalid_state'],
);

const receiptRoute = operation(
  { scope: 'orders:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/receipt',
    operationId: 'confirmReceipt',
    tags,
    summary: 'The customer has it',
    description: 'Once everything that will come has come.',
    request: { params: OrderPath, body: body(Nothing, false) },
    responses: { 200: json('The order', Order) },
  },
  ['invalid_state'],
);

const reviewRoute = operation(
  { scope: 'orders:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/review',
    operationId: 'reviewOrder',
    tags,
    summary: "The customer's review",
    description: 'Of a completed order, once.',
    request: {
      params: OrderPath,
      body: body(
        z
          .strictObject({ rating: z.int().min(1).max(5), comment: reason().nullish() })
          .openapi({ example: { rating: 5, comment: 'fresh' } }),
      ),
    },
    responses: { 200: json('The order', Order) },
  },
  ['invalid_state'],
);

export const deliveryRoutes = (services: Services) => {
  const shown = (c: Context<ApiEnv>, stored: StoredOrder) => orderBody(services, c.var.caller, stored);
  return newRouter()
    .openapi(reportRoute, async (c) => c.json(shown(c, await reported(services, c, c.req.valid('json'))), 200))
    .openapi(redeliverRoute, async (c) => {
      const item = c.req.valid('param').item_id as ItemId;
      const { stored } = await ask(services, c, { type: 'redeliver', item });
      return c.json(shown(c, stored), 200);
    })
    .openapi(receiptRoute, async (c) => {
      const { stored } = await ask(services, c, { type: 'confirm_receipt' });
      return c.json(shown(c, stored), 200);
    })
    .openapi(reviewRoute, async (c) => {
      const { rating, comment } = c.req.valid('json');
      const { stored } = await ask(services, c, { type: 'review', rating, comment: comment ?? null });
      return c.json(shown(c, stored), 200);
    });
};

type Report = CommandOf<'delivery_reported'>;

/** A report that met the end of a large order's run waits for the next run, which the server may hold back. */
const WAKE_AFTER_MS = 2_000;
const WOKEN_MS = 8_000;
const POLL_MS = 500;

/** Reports are signals: many at once cost the order little. The answer waits until this one is saved. */
async function reported(
  services: Services,
  c: Context<ApiEnv>,
  { status, quantity: count, tracking, detail }: z.infer<typeof ReportBody>,
): Promise<StoredOrder> {
  const { caller } = c.var;
  const item = (c.req.param('item_id') ?? '') as ItemId;
  const stored = await loadOrder(services, caller, c.req.param('id') ?? '');
  if (!itemOf(stored.order, item)) throw notFound();
  const told: Report = {
    type: 'delivery_reported',
    item,
    status,
    quantity: count ?? null,
    dispatch: null,
    tracking: tracking ?? null,
    detail: detail ?? null,
    by: caller.actor,
  };
  return saysNothingNew(services, stored, told) ? stored : tell(services, c, stored, told);
}

/** @throws Refused where the order doesn't take it */
function saysNothingNew({ now }: Services, { order }: StoredOrder, told: Report): boolean {
  const decision = decide(order, told, now());
  if ('refused' in decision) throw new Refused(decision.refused);
  return decision.events.length === 0;
}

/** A report has been taken in once the saved order would learn nothing from it any more. */
async function tell(
  services: Services,
  c: Context<ApiEnv>,
  { order: { id, version } }: StoredOrder,
  told: Report,
): Promise<StoredOrder> {
  const { type: _, item, ...report } = told;
  // Before it is told, so that no save is missed.
  const takenInWithin = afterSaves(services, id, async () => {
    const stored = await loadOrder(services, c.var.caller, id);
    return stored.order.version !== version && saysNothingNew(services, stored, told) ? stored : null;
  });
  await services.gateway.tellDelivery(id, { itemId: item, ...report });
  return services.unlessAway(takenInOrWoken(services, id, takenInWithin));
}

async function takenInOrWoken(
  { gateway }: Services,
  id: OrderId,
  takenInWithin: (ms: number) => Promise<StoredOrder | null>,
): Promise<StoredOrder> {
  const early = await takenInWithin(WAKE_AFTER_MS);
  if (early) return early;
  await gateway.wake(id);
  const late = await takenInWithin(WOKEN_MS);
  if (late) return late;
  throw new Problem('temporarily_unavailable', 'The report was taken in, but is not saved yet.', {
    headers: retryAfter(),
  });
}

/**
 * Looks at an order after each save from this moment on, and now and then.
 * @returns what looks for so many milliseconds at most: null if nothing was found by then, or the server stops
 */
function afterSaves<T>(
  { saved, stopping }: Services,
  id: OrderId,
  look: () => Promise<T | null>,
): (ms: number) => Promise<T | null> {
  const nextSave = () => saved.waitFor(id, POLL_MS, stopping);
  let save = nextSave();
  return async (ms) => {
    for (const end = Date.now() + ms; Date.now() < end && !stopping.aborted;) {
      await save;
      save = nextSave();
      const found = await look();
      if (found !== null) return found;
    }
    return null;
  };
}
