import { createMiddleware } from 'hono/factory';
import type { Context } from 'hono';
import type { ApiEnv } from '../api/env.ts';
import { Problem } from '../api/problem.ts';

/**
 * Lets a change through only if a page of ours asked for it. Browsers name the page's origin; where a page keeps its
 * address to itself, as ours do, some say "null", and then tell in Sec-Fetch-Site whether it was the same site. Neither
 * header can be set by a page.
 */
export const sameOriginOnly = (publicUrl: string) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const isChange = !['GET', 'HEAD'].includes(c.req.method);
    if (isChange && !isFromUs(c, publicUrl)) throw new Problem('forbidden', 'Not asked for by a page of ours.');
    await next();
  });

function isFromUs(c: Context<ApiEnv>, publicUrl: string): boolean {
  const origin = c.req.header('origin') ?? 'null';
  if (origin === 'null') return c.req.header('sec-fetch-site') === 'same-origin';
  // As the outside sees us, or as this browser reached us: 127.0.0.1 for localhost.
  return origin === new URL(publicUrl).origin || hostOf(origin) === c.req.header('host');
}

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);
