import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { findEndpoint } from '../db/endpoints.ts';
import { listNotifications, sendAgain, type ListedNotification } from '../db/notifications.ts';
import type { NotificationType } from '../domain/notification.ts';
import type { ApiEnv, Services } from './env.ts';
import { NOTIFICATION } from './examples.ts';
import { cursorAfter, instantIn, page, pageOf, queryText, readCursor, sizeOf } from './fields.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { notFound, Problem } from './problem.ts';
import { listOf, NotificationTypeName, Nothing } from './schemas.ts';

const tags = ['Notifications'];
const time = () => z.string().openapi({ format: 'date-time' });

const Attempt = z.object({
  at: time(),
  status: z.int().nullable().openapi({ description: 'Of the HTTP answer; null: there was none' }),
  duration_ms: z.int().nullable().openapi({ description: 'Null: its end is not known (yet)' }),
  error: z.string().nullable(),
});
const NotificationStatus = z.enum(['pending', 'delivered', 'failed']).openapi('NotificationStatus', {
  description: '`failed`: out of tries, or its endpoint was deleted',
});
const Notification = z
  .object({
    id: z.string().openapi({ description: 'Also its `webhook-id`', example: 'ntf_…' }),
    type: NotificationTypeName,
    order_id: z.string(),
    endpoint_id: z.string(),
    status: NotificationStatus,
    attempts: z.array(Attempt).openapi({ description: 'Oldest first' }),
    last_error: z.string().nullable(),
    next_attempt_at: time().nullable(),
    delivered_at: time().nullable(),
    created_at: time(),
  })
  .openapi('Notification', { example: NOTIFICATION });
export type NotificationBody = z.infer<typeof Notification>;
const NotificationPath = z.object({ id: z.string().openapi({ example: 'ntf_…' }) });

const ListQuery = z.strictObject({
  status: NotificationStatus.optional(),
  order_id: queryText().optional(),
  ...page,
});
const listRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/notifications',
    operationId: 'listNotifications',
    tags,
    summary: 'List what was told, newest first',
    description: '`status=failed` are those given up.',
    request: { query: ListQuery },
    responses: { 200: json('A page of notifications', listOf(Notification)) },
  },
);

const resendRoute = operation(
  { scope: 'notifications:write' },
  {
    method: 'post',
    path: '/v1/notifications/{id}/resend',
    operationId: 'resendNotification',
    tags,
    summary: 'Send one again',
    description: 'With the same id and body, and all tries before it.',
    request: { params: NotificationPath, body: body(Nothing, false) },
    responses: { 202: json('The notification, to be sent', Notification) },
  },
  ['invalid_state'],
);

const ResendBody = z
  .strictObject({
    since: instantIn(),
    endpoint_id: queryText().nullish().openapi({ description: 'Only those to this one' }),
  })
  .openapi({ example: { since: '2026-11-21T00:00:00Z' } });
const resendFailedRoute = operation(
  { scope: 'notifications:write' },
  {
    method: 'post',
    path: '/v1/notifications/resend',
    operationId: 'resendFailedNotifications',
    tags,
    summary: 'Send all again that were given up since a time',
    description: 'Of endpoints that are switched off, none.',
    request: { body: body(ResendBody) },
    responses: { 202: json('How many are sent', z.object({ count: z.int() }).openapi({ example: { count: 3 } })) },
  },
);

export const notificationRoutes = (services: Services) =>
  newRouter()
    .openapi(listRoute, async (c) => c.json(await list(services, c, c.req.valid('query')), 200))
    .openapi(resendFailedRoute, async (c) => c.json(await resendFailed(services, c, c.req.valid('json')), 202))
    .openapi(resendRoute, async (c) => c.json(await resend(services, c, c.req.valid('param').id), 202));

const shown = (row: ListedNotification) => ({
  id: row.id,
  type: row.type as NotificationType,
  order_id: row.order_id,
  endpoint_id: row.endpoint_id,
  status: row.status,
  attempts: row.attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at).toISOString() })),
  last_error: row.last_error,
  next_attempt_at: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
  delivered_at: row.delivered_at && row.delivered_at.toISOString(),
  created_at: row.created_at.toISOString(),
});

async function list(
  { db }: Services,
  c: Context<ApiEnv>,
  { status, order_id: order, limit: asked, cursor }: z.infer<typeof ListQuery>,
) {
  const limit = sizeOf(asked);
  const before = readCursor('notifications', cursor);
  const rows = await listNotifications(db, {
    merchant: c.var.caller.merchant.id,
    limit: limit + 1,
    ...(status && { status }),
    ...(order !== undefined && { order }),
    ...(before !== undefined && { before }),
  });
  return pageOf(rows, limit, shown, ({ number }) => cursorAfter('notifications', number));
}

async function load({ db }: Services, c: Context<ApiEnv>, id: string): Promise<ListedNotification> {
  const [found] = await listNotifications(db, { merchant: c.var.caller.merchant.id, id, limit: 1 });
  if (!found) throw notFound();
  return found;
}

async function resend(services: Services, c: Context<ApiEnv>, id: string) {
  const { db, notifiers, now } = services;
  const { number, merchant_id: merchant } = await load(services, c, id);
  const endpoints = await sendAgain(db, { merchant, number, at: new Date(now()) });
  if (endpoints.length === 0)
    throw new Problem('invalid_state', 'Its endpoint is switched off or deleted: enable it first.');
  notifiers.tellSoon(endpoints, 0);
  return shown(await load(services, c, id));
}

async function resendFailed(
  services: Services,
  c: Context<ApiEnv>,
  { since, endpoint_id: endpoint }: z.infer<typeof ResendBody>,
) {
  const { db, notifiers, now } = services;
  const merchant = c.var.caller.merchant.id;
  if (typeof endpoint === 'string' && !(await findEndpoint(db, endpoint, merchant))) throw notFound();
  const of = typeof endpoint === 'string' ? { endpoint } : {};
  const endpoints = await sendAgain(db, { merchant, since, ...of, at: new Date(now()) });
  notifiers.tellSoon([...new Set(endpoints)], 0);
  return { count: endpoints.length };
}
