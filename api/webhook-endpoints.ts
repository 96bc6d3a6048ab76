import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import * as endpoints from '../db/endpoints.ts';
import type { Endpoint } from '../db/endpoints.ts';
import { LIMITS } from '../domain/limits.ts';
import { NOTIFICATION_TYPES, type NotificationType } from '../domain/notification.ts';
import { flawOfUrl } from '../notifications/endpoint-url.ts';
import { addEndpoint, rotateSecret } from '../notifications/endpoints.ts';
import type { ApiEnv, Services } from './env.ts';
import { ENDPOINT } from './examples.ts';
import { cursorAfter, page, pageOf, readCursor, seconds, sizeOf, webUrl } from './fields.ts';
import { newEndpointId } from './ids.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { invalid, notFound, Problem } from './problem.ts';
import { listOf, NotificationTypeName, Nothing } from './schemas.ts';

const tags = ['Notifications'];
const scope = 'notifications:write';
const DAY = 86_400;

const fields = {
  id: z.string().openapi({ example: 'whe_01jv5r9x2c8m4t0q6h3w' }),
  url: z.string(),
  types: z.array(NotificationTypeName).nullable().openapi({ description: 'Null: all' }),
  status: z.enum(['enabled', 'disabled']).openapi({ description: 'An answer 410 switches it off' }),
  created_at: z.string().openapi({ format: 'date-time' }),
};
const WebhookEndpoint = z.object(fields).openapi('WebhookEndpoint', { example: ENDPOINT });
export type WebhookEndpointBody = z.infer<typeof WebhookEndpoint>;
const WithSecret = z
  .object({ ...fields, secret: z.string().openapi({ description: 'Shown here only', example: 'whsec_…' }) })
  .openapi('WebhookEndpointWithSecret', { example: { ...ENDPOINT, secret: 'whsec_RXhhbXBsZSwgbm90IGEgc2VjcmV0' } });
const EndpointPath = z.object({ id: z.string().openapi({ example: 'whe_…' }) });

const NewEndpoint = z
  .strictObject({
    url: webUrl(),
    types: z.array(z.enum(NOTIFICATION_TYPES)).min(1).max(NOTIFICATION_TYPES.length).nullish(),
  })
  .openapi({ example: { url: ENDPOINT.url, types: [...ENDPOINT.types] } });
const createRoute = operation(
  { scope },
  {
    method: 'post',
    path: '/v1/webhook-endpoints',
    operationId: 'createWebhookEndpoint',
    tags,
    summary: 'Have notifications sent somewhere',
    description:
      'Signed as Standard Webhooks says, with the `secret` of this answer. The URL is https on the public internet; ' +
      'while everything runs on one machine, http and loopback addresses are taken too.',
    request: { body: body(NewEndpoint) },
    responses: { 201: json('The endpoint, with its secret', WithSecret) },
  },
  ['limit_reached'],
);

const ListQuery = z.strictObject(page);
const listRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/webhook-endpoints',
    operationId: 'listWebhookEndpoints',
    tags,
    summary: 'List endpoints, newest first',
    request: { query: ListQuery },
    responses: { 200: json('A page of endpoints', listOf(WebhookEndpoint)) },
  },
);

const deleteRoute = operation(
  { scope },
  {
    method: 'delete',
    path: '/v1/webhook-endpoints/{id}',
    operationId: 'deleteWebhookEndpoint',
    tags,
    summary: 'Have nothing more sent there',
    description: 'What it was not told yet is given up; what it was told stays on record.',
    request: { params: EndpointPath },
    responses: { 204: { description: 'Deleted' } },
  },
);

const RotateBody = z
  .strictObject({
    overlap_seconds: seconds(0, 7 * DAY)
      .default(DAY)
      .openapi({ description: 'How long the secret so far signs too' }),
  })
  .openapi({ example: { overlap_seconds: DAY } });
const rotateRoute = operation(
  { scope },
  {
    method: 'post',
    path: '/v1/webhook-endpoints/{id}/rotate-secret',
    operationId: 'rotateWebhookSecret',
    tags,
    summary: 'Get a new secret',
    description: 'During the overlap every message bears the signatures of both.',
    request: { params: EndpointPath, body: body(RotateBody) },
    responses: { 200: json('The endpoint, with its new secret', WithSecret) },
  },
);

const enableRoute = operation(
  { scope },
  {
    method: 'post',
    path: '/v1/webhook-endpoints/{id}/enable',
    operationId: 'enableWebhookEndpoint',
    tags,
    summary: 'Switch an endpoint on again',
    description: 'What waited for it is sent now.',
    request: { params: EndpointPath, body: body(Nothing, false) },
    responses: { 200: json('The endpoint', WebhookEndpoint) },
  },
);

export const webhookEndpointRoutes = (services: Services) =>
  newRouter()
    .openapi(createRoute, async (c) => c.json(await create(services, c, c.req.valid('json')), 201))
    .openapi(listRoute, async (c) => c.json(await list(services, c, c.req.valid('query')), 200))
    .openapi(deleteRoute, async (c) => {
      const { id } = await load(services, c);
      await endpoints.deleteEndpoint(services.db, id, new Date(services.now()));
      return c.body(null, 204);
    })
    .openapi(rotateRoute, async (c) => c.json(await rotate(services, c, c.req.valid('json').overlap_seconds), 200))
    .openapi(enableRoute, async (c) => {
      const { id } = await load(services, c);
      const enabled = await endpoints.enableEndpoint(services.db, id, new Date(services.now()));
      services.notifiers.tellSoon([id], 0);
      return c.json(shown(enabled), 200);
    });

const shown = ({ id, url, types, status, created_at }: Endpoint) => ({
  id,
  url,
  types: types as NotificationType[] | null,
  status,
  created_at: created_at.toISOString(),
});

async function load({ db }: Services, c: Context<ApiEnv>): Promise<Endpoint> {
  const endpoint = await endpoints.findEndpoint(db, c.req.param('id') ?? '', c.var.caller.merchant.id);
  if (!endpoint) throw notFound();
  return endpoint;
}

async function create(services: Services, c: Context<ApiEnv>, { url, types = null }: z.infer<typeof NewEndpoint>) {
  const flaw = await flawOfUrl(url, services.allowLoopback);
  if (flaw !== null) throw invalid({ path: 'url', message: flaw });
  const id = newEndpointId(c.get('seed')?.ids, services.now());
  const made = await addEndpoint(services, { id, merchant: c.var.caller.merchant.id, url, types });
  if (!made) throw new Problem('limit_reached', `A merchant has at most ${LIMITS.webhookEndpoints} endpoints.`);
  return { ...shown(made.endpoint), secret: made.secret };
}

async function rotate(services: Services, c: Context<ApiEnv>, overlapSeconds: number) {
  const { endpoint, secret } = await rotateSecret(services, await load(services, c), services.now(), overlapSeconds);
  return { ...shown(endpoint), secret };
}

async function list({ db }: Services, c: Context<ApiEnv>, { limit: asked, cursor }: z.infer<typeof ListQuery>) {
  const limit = sizeOf(asked);
  const before = readCursor('endpoints', cursor);
  const rows = await endpoints.listEndpoints(db, { merchant: c.var.caller.merchant.id, before, limit: limit + 1 });
  return pageOf(rows, limit, shown, ({ number }) => cursorAfter('endpoints', number));
}
