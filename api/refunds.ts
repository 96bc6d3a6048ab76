import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { StoredOrder } from '../db/orders.ts';
import { listRefunds } from '../db/refunds.ts';
import type { RefundAsk } from '../domain/commands.ts';
import type { ItemId, RefundId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { refundView } from '../domain/view.ts';
import { nameOf, personOf } from './caller.ts';
import type { ApiEnv, Services } from './env.ts';
import { amount, cursorAfter, page, pageOf, quantity, readCursor, reason, sizeOf } from './fields.ts';
import { newRefundId } from './ids.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { notFound } from './problem.ts';
import { listOf, OrderPath, Refund, RefundPath, RefundStatusName } from './schemas.ts';
import { ask, loadOrder } from './wishes.ts';

const tags = ['Refunds'];

const ApplyBody = z
  .strictObject({
    reason: reason(),
    amount: amount(1)
      .nullish()
      .openapi({ description: 'In the minor unit; or give `items`; neither: all that is left' }),
    items: z
      .array(z.strictObject({ item_id: z.string(), quantity: quantity() }))
      .min(1)
      .max(LIMITS.items)
      .nullish(),
  })
  .superRefine(({ amount: sum, items }, context) => {
    if (typeof sum === 'number' && items)
      context.addIssue({ code: 'custom', path: ['amount'], message: 'Give amount or items, not both.' });
    const named = items?.map(({ item_id }) => item_id) ?? [];
    named.forEach((item, index) => {
      if (named.indexOf(item) < index)
        context.addIssue({ code: 'custom', path: ['items', index, 'item_id'], message: 'Named twice.' });
    });
  })
  .openapi({ example: { reason: 'one arrived broken', items: [{ item_id: 'itm_1', quantity: 1 }] } });

const applyRoute = operation(
  { scope: 'refunds:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/refunds',
    operationId: 'applyForRefund',
    tags,
    summary: 'Apply for a refund',
    description: 'Holds its amount until it is decided. Send an `Idempotency-Key`: it becomes the same refund again.',
    request: { params: OrderPath, body: body(ApplyBody) },
    responses: { 202: json('The refund, to be decided', Refund) },
  },
  ['invalid_state', 'refund_exceeds_paid', 'refund_window_closed', 'limit_reached'],
);

const ListQuery = z.strictObject({ status: RefundStatusName.optional(), ...page });
const listRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/refunds',
    operationId: 'listRefunds',
    tags,
    summary: 'List refunds, newest first',
    description: '`status=requested` is the queue of those to be decided.',
    request: { query: ListQuery },
    responses: { 200: json('A page of refunds', listOf(Refund)) },
  },
);

const getRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/orders/{id}/refunds/{refund_id}',
    operationId: 'getRefund',
    tags,
    summary: 'Read a refund',
    request: { params: RefundPath },
    responses: { 200: json('The refund', Refund) },
  },
);

const decision = { tags, responses: { 200: json('The refund, decided', Refund) } };
const fourEyes = 'Whoever applied for a refund can not decide it, unless the merchant has switched `four_eyes` off.';

const approveRoute = operation(
  { scope: 'refunds:review' },
  {
    ...decision,
    method: 'post',
    path: '/v1/orders/{id}/refunds/{refund_id}/approve',
    operationId: 'approveRefund',
    summary: 'Approve a refund',
    description: `The money goes back, and items still waiting are withdrawn. ${fourEyes}`,
    request: {
      params: RefundPath,
      body: body(z.strictObject({ note: reason().nullish() }).openapi({ example: { note: 'photo seen' } }), false),
    },
  },
  ['invalid_state'],
);

const rejectRoute = operation(
  { scope: 'refunds:review' },
  {
    ...decision,
    method: 'post',
    path: '/v1/orders/{id}/refunds/{refund_id}/reject',
    operationId: 'rejectRefund',
    summary: 'Reject a refund',
    description: fourEyes,
    request: {
      params: RefundPath,
      body: body(z.strictObject({ note: reason() }).openapi({ example: { note: 'not our tea' } })),
    },
  },
  ['invalid_state'],
);

export const refundRoutes = (services: Services) =>
  newRouter()
    .openapi(applyRoute, async (c) => {
      const { stored, refund } = await apply(services, c, c.req.valid('json'));
      return c.json(refundBody(stored, refund), 202);
    })
    .openapi(listRoute, async (c) => c.json(await list(services, c, c.req.valid('query')), 200))
    .openapi(getRoute, async (c) => {
      const { id, refund_id } = c.req.valid('param');
      return c.json(refundBody(await loadOrder(services, c.var.caller, id), refund_id), 200);
    })
    .openapi(approveRoute, async (c) =>
      c.json(await review(services, c, 'approve', c.req.valid('json').note ?? null), 200),
    )
    .openapi(rejectRoute, async (c) => c.json(await review(services, c, 'reject', c.req.valid('json').note), 200));

type RefundBody = z.infer<typeof Refund>;

async function apply(
  services: Services,
  c: Context<ApiEnv>,
  { reason: why, amount: sum, items }: z.infer<typeof ApplyBody>,
): Promise<{ stored: StoredOrder; refund: RefundId }> {
  const { caller } = c.var;
  const refund = newRefundId(c.get('seed')?.ids, services.now());
  const { stored } = await ask(services, c, {
    type: 'apply_refund',
    refund,
    ask: askOf(sum ?? null, items ?? null),
    reason: why,
    origin: caller.kind === 'customer' ? 'customer' : 'merchant',
    applicant: personOf(caller),
  });
  return { stored, refund };
}

function askOf(sum: number | null, items: readonly { item_id: string; quantity: number }[] | null): RefundAsk {
  if (sum !== null) return { type: 'amount', amount: sum };
  if (!items) return { type: 'all' };
  return {
    type: 'items',
    items: items.map(({ item_id, quantity: count }) => ({ item: item_id as ItemId, quantity: count })),
  };
}

async function review(
  services: Services,
  c: Context<ApiEnv>,
  decided: 'approve' | 'reject',
  note: string | null,
): Promise<RefundBody> {
  const { caller } = c.var;
  const refund = (c.req.param('refund_id') ?? '') as RefundId;
  const reviewer = { key: caller.key, person: personOf(caller), name: nameOf(caller) };
  const fourEyes = caller.merchant.settings.four_eyes;
  const { stored } = await ask(services, c, {
    type: 'review_refund',
    refund,
    decision: decided,
    reviewer,
    fourEyes,
    note,
  });
  return refundBody(stored, refund);
}

function refundBody({ order }: StoredOrder, id: string): RefundBody {
  const refund = order.refunds.find((one) => one.id === id);
  if (!refund) throw notFound();
  return { order_id: order.id, ...refundView(refund) };
}

async function list(
  services: Services,
  c: Context<ApiEnv>,
  { status, limit: asked, cursor }: z.infer<typeof ListQuery>,
) {
  const limit = sizeOf(asked);
  const before = readCursor('refunds', cursor);
  const rows = await listRefunds(services.db, {
    merchant: c.var.caller.merchant.id,
    limit: limit + 1,
    ...(status && { status }),
    ...(before !== undefined && { before }),
  });
  return pageOf(
    rows,
    limit,
    (row) => ({ order_id: row.order_id, ...(row.body as Omit<RefundBody, 'order_id'>) }),
    ({ number }) => cursorAfter('refunds', number),
  );
}
