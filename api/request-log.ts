import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { ApiEnv, Services } from './env.ts';
import { QUIET, traced, type Told } from './trace.ts';

/** One line, one measurement and one span for each request: its route, never its query or its body. */
export function logRequests({ log, metrics }: Pick<Services, 'log' | 'metrics'>) {
  return createMiddleware<ApiEnv>((c, next) =>
    traced(c, async (trace) => {
      const began = performance.now();
      const given = c.req.header('x-request-id') ?? '';
      const requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
      c.set('requestId', requestId);
      c.set('log', log.child({ request: requestId, trace }));
      await next();
      c.header('x-request-id', requestId);
      const { method } = c.req;
      const told = toldOf(c);
      const { route, status, merchant, order } = told;
      const ms = performance.now() - began;
      metrics.requests.observe({ method, route, status: String(status) }, ms / 1000);
      const level = QUIET.has(route) ? 'debug' : 'info';
      c.var.log[level]({ method, route, status, ms: Math.round(ms), merchant, order }, 'request');
      return told;
    }),
  );
}

function toldOf(c: Context<ApiEnv>): Told {
  const order = c.get('order') ?? /\/(ord_\w{1,40})(?=\/|$)/.exec(c.req.path)?.[1];
  return {
    route: routeOf(routePath(c, -1)),
    status: c.res.status,
    merchant: c.get('caller')?.merchant.id ?? c.get('merchant'),
    order,
  };
}

/** What matches no route ends at the middleware's own pattern. */
const routeOf = (path: string): string => (path.endsWith('*') || path === '' ? 'none' : path);
