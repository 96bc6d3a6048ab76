import { createMiddleware } from 'hono/factory';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Caller } from './caller.ts';
import type { ApiEnv } from './env.ts';
import { Problem, retryAfter } from './problem.ts';

/** Per caller, in this process. */
export function limitRate(limit: { perMinute: number }) {
  const count = rateLimit(limit);
  return createMiddleware<ApiEnv>(async (c, next) => {
    await count(c.var.caller);
    await next();
  });
}

/** Counts a request of a caller. @throws Problem rate_limited */
export function rateLimit({ perMinute }: { perMinute: number }): (caller: Pick<Caller, 'key'>) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async ({ key }) => {
    await limiter.consume(key).catch((over: unknown) => {
      if (!(over instanceof RateLimiterRes)) throw over;
      const seconds = Math.max(1, Math.ceil(over.msBeforeNext / 1000));
      throw new Problem('rate_limited', `At most ${perMinute} requests in a minute.`, {
        headers: retryAfter(seconds),
      });
    });
  };
}
