import { createRoute, z } from '@hono/zod-openapi';
import type { ReadyPart } from '../client/readiness.ts';
import type { Services } from './env.ts';
import { json, newRouter } from './operation.ts';

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

const PATIENCE_MS = 3_000;

export const healthRoutes = (services: Services) =>
  newRouter()
    .openapi(healthRoute, (c) => c.json({ status: 'up' as const }, 200))
    .openapi(readyRoute, async (c) => {
      const found = await partsInTime(services);
      const parts = Object.fromEntries(
        found.map(({ name, ready, detail }) => [name, { ready, detail: detail ?? null }]),
      );
      return found.every(({ ready }) => ready)
        ? c.json({ status: 'ready' as const, parts }, 200)
        : c.json({ status: 'not_ready' as const, parts }, 503);
    })
    .openapi(metricsRoute, async (c) =>
      c.text(await services.registry.metrics(), 200, { 'content-type': services.registry.contentType }),
    );

/** Who asks for readiness wants an answer, not patience. */
async function partsInTime({ ready, stopping }: Services): Promise<ReadyPart[]> {
  if (stopping.aborted) return [{ name: 'server', ready: false, detail: 'is stopping' }];
  const tooLong = new Promise<ReadyPart[]>((resolve) =>
    setTimeout(() => resolve([{ name: 'checks', ready: false, detail: 'took too long' }]), PATIENCE_MS).unref(),
  );
  return Promise.race([ready(), tooLong]).catch(() => [{ name: 'checks', ready: false, detail: 'failed' }]);
}
