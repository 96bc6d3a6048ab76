import type { Context } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { listEvents, type StoredEvent } from '../db/events.ts';
import type { OrderId } from '../domain/ids.ts';
import type { ApiEnv, Services } from './env.ts';
import { Problem, retryAfter } from './problem.ts';

/** How many streams each caller has open. */
export type Streams = Map<string, number>;
export const createStreams = (): Streams => new Map();

const STREAMS_PER_CALLER = 50;
const KEEP_ALIVE_MS = 15_000;
const LONGEST_MS = 30 * 60_000;
const BATCH = 100;

type Telling = { order: OrderId; after: number; show: (event: StoredEvent) => unknown };

/** Tells an order's events, those that there are and those that come, until the client leaves or the server stops. */
export function streamEvents(services: Services, c: Context<ApiEnv>, streams: Streams, telling: Telling): Response {
  const { key } = c.var.caller;
  const open = streams.get(key) ?? 0;
  if (open >= STREAMS_PER_CALLER)
    throw new Problem('rate_limited', `At most ${STREAMS_PER_CALLER} streams can be open.`, {
      headers: retryAfter(5),
    });
  streams.set(key, open + 1);
  c.header('x-accel-buffering', 'no'); // Proxies that buffer would hold events back.
  return streamSSE(c, async (stream) => {
    try {
      await tell(services, stream, telling);
    } catch (error) {
      c.var.log.warn({ err: error }, 'a stream of events ended early');
    } finally {
      leave(streams, key);
    }
  });
}

function leave(streams: Streams, key: string): void {
  const open = (streams.get(key) ?? 1) - 1;
  if (open > 0) streams.set(key, open);
  else streams.delete(key);
}

async function tell(
  { db, saved, stopping }: Services,
  stream: SSEStreamingApi,
  { order, after, show }: Telling,
): Promise<void> {
  const gone = new AbortController();
  stream.onAbort(() => gone.abort());
  const ended = AbortSignal.any([gone.signal, stopping, AbortSignal.timeout(LONGEST_MS)]);
  await stream.write('retry: 2000\n\n');
  let seq = after;
  while (!ended.aborted) {
    const next = saved.waitFor(order, KEEP_ALIVE_MS, ended); // Before looking, so that no save is missed.
    const events = await listEvents(db, order, { after: seq, limit: BATCH });
    for (const event of events) {
      await stream.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(show(event)) });
      seq = event.seq;
    }
    if (events.length === BATCH) continue;
    if (events.length === 0) await stream.write(': here\n\n');
    await next;
  }
}
