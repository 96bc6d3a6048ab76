import { createRoute, z } from '@hono/zod-openapi';
import { inTime, summedUp, type ReadyPart } from '../client/readiness.ts';
import type { Services } from './env.ts';
import { json, newRouter } from './operation.ts';
import { retryAfter } from './problem.ts';

const tags = ['Running it'];

const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  tags,
  summary: 'Whether the process is up',
  security: [],
  responses: { 200: json('It is', z.object({ status: z.literal('up') }).openapi({ example: { status: 'up' } })) },
});

const Readiness = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    parts: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string().nullable() })),
  })
  .openapi('Readiness', { example: { status: 'ready', parts: { database: { ready: true, detail: null } } } });

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  tags,
  summary: 'Whether orders can be served: database and Temporal reachable, a worker polling',
  security: [],
  responses: {
    200: json('They can', Readiness),
    503: json('They can not: see which part is not ready', Readiness),
  },
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags,
  summary: 'Metrics, for Prometheus',
  security: [],
  responses: {
    200: { description: 'All metrics', content: { 'text/plain': { schema: z.string() } } },
  },
});

export const healthRoutes = (services: Services) =>
  newRouter()
    .openapi(healthRoute, (c) => c.json({ status: 'up' as const }, 200))
    .openapi(readyRoute, async (c) => {
      const { isReady, parts } = summedUp(await partsOf(services));
      if (isReady) return c.json({ status: 'ready' as const, parts }, 200);
      return c.json({ status: 'not_ready' as const, parts }, 503, retryAfter());
    })
    .openapi(metricsRoute, async (c) =>
      c.text(await services.registry.metrics(), 200, { 'content-type': services.registry.contentType }),
    );

const partsOf = async ({ ready, stopping }: Services): Promise<ReadyPart[]> =>
  stopping.aborted ? [{ name: 'server', ready: false, detail: 'is stopping' }] : inTime(ready);
