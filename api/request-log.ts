import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { ApiEnv, Services } from './env.ts';

/** Asked every few seconds by machines. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** One line and one measurement for each request: its route, never its query or its body. */
export function logRequests({ log, metrics }: Pick<Services, 'log' | 'metrics'>) {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const began = performance.now();
    const given = c.req.header('x-request-id') ?? '';
    const requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    c.set('requestId', requestId);
    c.set('log', log.child({ request: requestId }));
    await next();
    c.header('x-request-id', requestId);
    const { method } = c.req;
    const { status } = c.res;
    const route = routeOf(routePath(c, -1));
    const ms = performance.now() - began;
    metrics.requests.observe({ method, route, status: String(status) }, ms / 1000);
    const level = QUIET.has(route) ? 'debug' : 'info';
    c.var.log[level]({ method, route, status, ms: Math.round(ms), merchant: c.get('caller')?.merchant.id }, 'request');
  });
}

/** What matches no route ends at the middleware's own pattern. */
const routeOf = (path: string): string => (path.endsWith('*') || path === '' ? 'none' : path);
