import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { listOrders, type OrderFilter, type StoredOrder } from '../db/orders.ts';
import { LIMITS } from '../domain/limits.ts';
import { personOf } from './caller.ts';
import { createFrom } from './create-order.ts';
import { customerHashes } from './customer-hash.ts';
import type { ApiEnv, Services } from './env.ts';
import {
  cursorAfter,
  flag,
  instantIn,
  integerText,
  page,
  pageOf,
  queryText,
  readCursor,
  sizeOf,
  text,
} from './fields.ts';
import { newOrderId } from './ids.ts';
import { NewOrderBody } from './new-order.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { etagOf, matches, orderBody } from './order-view.ts';
import { Problem } from './problem.ts';
import { listOf, Nothing, Order, OrderPath, OrderStatus, RefundStatusOfOrder } from './schemas.ts';
import { ask, loadOrder } from './wishes.ts';

const tags = ['Orders'];

const createRoute = operation(
  { scope: 'orders:write' },
  {
    method: 'post',
    path: '/v1/orders',
    operationId: 'createOrder',
    tags,
    summary: 'Create an order',
    description:
      'Starts the order; it is safe once this is answered. Send an `Idempotency-Key`, so that a repeated request is ' +
      'the same order. An order of total 0 is paid at once, as is a test order.',
    request: { body: body(NewOrderBody) },
    responses: { 201: json('The order', Order) },
  },
  ['merchant_order_no_taken'],
);

const ListQuery = z.strictObject({
  status: OrderStatus.optional(),
  refund_status: RefundStatusOfOrder.optional(),
  attention: flag().optional().openapi({ description: 'Only orders that a person should look at, or only others' }),
  merchant_order_no: queryText().optional(),
  number: integerText(1, Number.MAX_SAFE_INTEGER).optional(),
  customer_id: queryText()
    .optional()
    .openapi({ description: 'Orders whose `customer.id` is this; not those whose personal data was erased' }),
  created_from: instantIn().optional().openapi({ description: 'Inclusive' }),
  created_to: instantIn().optional().openapi({ description: 'Exclusive' }),
  ...page,
});

const listRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/orders',
    operationId: 'listOrders',
    tags,
    summary: 'List orders, newest first',
    request: { query: ListQuery },
    responses: { 200: json('A page of orders', listOf(Order)) },
  },
);

const getRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/orders/{id}',
    operationId: 'getOrder',
    tags,
    summary: 'Read an order',
    description:
      'As stored, with its version as `ETag`. `live=true` asks the running workflow itself; where none runs, or ' +
      'personal data were erased, the stored order is the truth and is answered. A checkout token sees phone and address masked.',
    request: {
      params: OrderPath,
      query: z.strictObject({ live: flag().optional() }),
      headers: z.object({ 'if-none-match': z.string().optional() }),
    },
    responses: {
      200: {
        ...json('The order', Order),
        headers: { ETag: { description: 'Its version', schema: { type: 'string' as const } } },
      },
      304: { description: 'Not changed since the version in If-None-Match' },
    },
  },
);

const confirmRoute = operation(
  { scope: 'orders:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/confirm',
    operationId: 'confirmOrder',
    tags,
    summary: "Give the customer's final yes",
    description: 'For orders that were created with `confirm: false`.',
    request: { params: OrderPath, body: body(Nothing, false) },
    responses: { 200: json('The order', Order) },
  },
  ['order_expired', 'invalid_state', 'already_paid'],
);

const cancelRoute = operation(
  { scope: 'orders:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/cancel',
    operationId: 'cancelOrder',
    tags,
    summary: 'Cancel an order',
    description:
      'Unpaid: closes what is open at the provider, then cancels. Paid, and nothing on its way yet: applies for a ' +
      'full refund, and dispatches nothing until that is decided. A cancellation that is not settled within ten ' +
      'seconds goes on by itself.',
    request: {
      params: OrderPath,
      body: body(
        z
          .strictObject({ reason: text(LIMITS.reasonLength, 0).nullish() })
          .openapi({ example: { reason: 'ordered twice' } }),
        false,
      ),
    },
    responses: {
      200: json('The order, cancelled', Order),
      202: json('The order: a refund has been applied for, or it is still being closed', Order),
    },
  },
  ['order_expired', 'invalid_state', 'refund_exceeds_paid'],
);

const retryRoute = operation(
  { scope: 'orders:write' },
  {
    method: 'post',
    path: '/v1/orders/{id}/retry',
    operationId: 'retryOrder',
    tags,
    summary: 'Try what is stuck again now',
    description: 'What can not be done goes on being tried by itself, with pauses: see `attention`. This ends a pause.',
    request: { params: OrderPath, body: body(Nothing, false) },
    responses: { 200: json('The order', Order) },
  },
  ['invalid_state'],
);

export const orderRoutes = (services: Services) =>
  newRouter()
    .openapi(createRoute, async (c) => {
      const stored = await create(services, c, c.req.valid('json'));
      c.set('order', stored.order.id);
      c.header('location', `/v1/orders/${stored.order.id}`);
      c.header('etag', etagOf(stored));
      return c.json(orderBody(services, c.var.caller, stored), 201);
    })
    .openapi(listRoute, async (c) => c.json(await list(services, c, c.req.valid('query')), 200))
    .openapi(getRoute, async (c) => {
      const stored = await loadOrder(services, c.var.caller, c.req.valid('param').id);
      const { erased_at } = stored.row.details; // A run that has ended still tells what was erased since.
      const live = c.req.valid('query').live && !erased_at ? await services.gateway.live(stored.order.id) : null;
      const etag = etagOf(stored, live?.version);
      c.header('etag', etag);
      if (matches(c.req.header('if-none-match'), etag)) return c.body(null, 304);
      return c.json(orderBody(services, c.var.caller, stored, live ?? undefined), 200);
    })
    .openapi(confirmRoute, async (c) => {
      const { stored } = await ask(services, c, { type: 'confirm' });
      return c.json(orderBody(services, c.var.caller, stored), 200);
    })
    .openapi(cancelRoute, async (c) => {
      const { caller } = c.var;
      const because = caller.kind === 'customer' ? 'customer' : 'merchant';
      const reason = c.req.valid('json').reason || null;
      const { stored } = await ask(services, c, { type: 'cancel', because, applicant: personOf(caller), reason });
      return c.json(orderBody(services, caller, stored), stored.order.status === 'cancelled' ? 200 : 202);
    })
    .openapi(retryRoute, async (c) => {
      const { stored } = await ask(services, c, { type: 'retry' });
      return c.json(orderBody(services, c.var.caller, stored), 200);
    });

/** @throws Problem merchant_order_no_taken */
async function create(
  services: Services,
  c: Context<ApiEnv>,
  wanted: z.infer<typeof NewOrderBody>,
): Promise<StoredOrder> {
  const { caller } = c.var;
  const id = newOrderId(c.get('seed')?.ids, services.now());
  const outcome = await createFrom(services, c, wanted, { id, channel: 'api' });
  if ('order' in outcome) return outcome;
  // The same Idempotency-Key goes on after a failure of ours: this is its order.
  if (outcome.takenBy === id) return loadOrder(services, caller, id);
  throw new Problem('merchant_order_no_taken', 'Another order has this merchant_order_no.', {
    extra: { order_id: outcome.takenBy },
  });
}

async function list(services: Services, c: Context<ApiEnv>, query: z.infer<typeof ListQuery>) {
  const limit = sizeOf(query.limit);
  const filter: OrderFilter = {
    merchant: c.var.caller.merchant.id,
    limit: limit + 1,
    ...defined({
      status: query.status,
      refundStatus: query.refund_status,
      attention: query.attention,
      merchantOrderNo: query.merchant_order_no,
      number: query.number,
      customerHashes:
        query.customer_id === undefined
          ? undefined
          : customerHashes(services.sealer, c.var.caller.merchant.id, query.customer_id),
      createdFrom: query.created_from,
      createdTo: query.created_to,
      before: readCursor('orders', query.cursor),
    }),
  };
  const rows = await listOrders(services.db, filter);
  return pageOf(
    rows,
    limit,
    (stored) => orderBody(services, c.var.caller, stored),
    ({ row }) => cursorAfter('orders', row.number),
  );
}

/** Without what is not given. */
function defined<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
