import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { listEvents, type StoredEvent } from '../db/events.ts';
import type { ApiEnv, Services } from './env.ts';
import { createStreams, streamEvents } from './event-stream.ts';
import { cursorAfter, integerText, page, pageOf, readCursor, sizeOf } from './fields.ts';
import { newRouter, operation } from './operation.ts';
import { invalid } from './problem.ts';
import { Event, listOf, OrderPath } from './schemas.ts';
import { loadOrder } from './wishes.ts';

/** As many as the database counts. */
const LAST_SEQ = 2_147_483_647;

const eventsRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/orders/{id}/events',
    operationId: 'listEvents',
    tags: ['Orders'],
    summary: "The order's timeline, oldest first",
    description:
      'With `Accept: text/event-stream` it stays open and tells what happens: `id` is the `seq`, `event` the type, ' +
      '`data` the event as JSON. It resumes after `Last-Event-ID`. A stream ends after half an hour, and when the ' +
      'server stops: connect again.',
    request: {
      params: OrderPath,
      query: z.strictObject({
        ...page,
        last_event_id: integerText(0, LAST_SEQ)
          .optional()
          .openapi({ description: 'For streams, where the header can not be set' }),
      }),
      headers: z.object({ 'last-event-id': z.string().optional() }),
    },
    responses: {
      200: {
        description: 'A page of events, or the stream of them',
        content: {
          'application/json': { schema: listOf(Event) },
          'text/event-stream': { schema: { type: 'string' as const } },
        },
      },
    },
  },
);

export const eventRoutes = (services: Services) => {
  const streams = createStreams();
  return newRouter().openapi(eventsRoute, async (c) => {
    const { order } = await loadOrder(services, c.var.caller, c.req.valid('param').id);
    const { limit: asked, cursor, last_event_id } = c.req.valid('query');
    if (wantsStream(c)) {
      const after = last_event_id ?? lastSeen(c) ?? 0;
      return streamEvents(services, c, streams, { order: order.id, after, show: eventBody }) as never;
    }
    const limit = sizeOf(asked);
    const after = Math.min(readCursor('events', cursor) ?? 0, LAST_SEQ);
    const rows = await listEvents(services.db, order.id, { after, limit: limit + 1 });
    return c.json(
      pageOf(rows, limit, eventBody, ({ seq }) => cursorAfter('events', seq)),
      200,
    );
  });
};

const wantsStream = (c: Context): boolean => /\btext\/event-stream\b/i.test(c.req.header('accept') ?? '');

/** @throws Problem if it is none that we gave out */
function lastSeen(c: Context<ApiEnv>): number | undefined {
  const id = c.req.header('last-event-id');
  if (id === undefined || id === '') return undefined;
  if (!/^\d{1,9}$/.test(id)) throw invalid({ path: 'Last-Event-ID', message: 'Not the id of an event.' });
  return Number(id);
}

const eventBody = ({ id, seq, type, at, actor, data }: StoredEvent): z.infer<typeof Event> => ({
  id,
  seq,
  type,
  at: at.toISOString(),
  actor: { type: actor.type, name: actor.name }, // In the order that we document, not as jsonb keeps it.
  data,
});
