import { createMiddleware } from 'hono/factory';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { ApiEnv } from './env.ts';
import { Problem } from './problem.ts';

/** Per caller, in this process. */
export function limitRate({ perMinute }: { perMinute: number }) {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return createMiddleware<ApiEnv>(async (c, next) => {
    await limiter.consume(c.var.caller.key).catch((over: unknown) => {
      if (!(over instanceof RateLimiterRes)) throw over;
      const seconds = Math.max(1, Math.ceil(over.msBeforeNext / 1000));
      throw new Problem('rate_limited', `At most ${perMinute} requests in a minute.`, {
        headers: { 'retry-after': String(seconds) },
      });
    });
    await next();
  });
}
