import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, MiddlewareHandler } from 'hono';
import type { Desk, Env } from './provider.ts';
import type { ProviderName } from './records.ts';

/** How long a call that gets no answer is kept waiting before its connection is cut. */
const LONGEST_SILENCE_MS = 60_000;

/** Puts the faults in force between a provider's paths and their callers. `outage` is how the provider says 5xx. */
export function faulty(
  desk: Pick<Desk, 'books' | 'faults'>,
  name: ProviderName,
  outage: () => Response,
  longestSilenceMs = LONGEST_SILENCE_MS,
): MiddlewareHandler<Env> {
  return async (c, next) => {
    const {
      error_rate: errorRate = 0,
      timeout_rate: timeoutRate = 0,
      latency_ms: latencyMs = 0,
    } = desk.faults.of(name);
    const isOut = happens(errorRate);
    if (!isOut) {
      await next();
      await desk.books.saved(); // The effect is certain before its answer gets lost or late.
    }
    if (latencyMs > 0) await passing(c, latencyMs);
    if (isOut) return outage();
    if (happens(timeoutRate)) await staySilent(c, longestSilenceMs);
    return undefined;
  };
}

function happens(rate: number): boolean {
  return Math.random() < rate;
}

/** Waits, but no longer than the caller does. */
async function passing(c: Context<Env>, ms: number): Promise<void> {
  const leaving = new AbortController();
  const gone = once(c.env.incoming.socket, 'close', { signal: leaving.signal }).catch(() => undefined);
  await Promise.race([sleep(ms, undefined, { signal: leaving.signal, ref: false }).catch(() => undefined), gone]);
  leaving.abort();
}

/** Until the caller has had enough. */
export async function staySilent(c: Context<Env>, ms = LONGEST_SILENCE_MS): Promise<void> {
  await passing(c, ms);
  c.env.incoming.socket.destroy();
}
