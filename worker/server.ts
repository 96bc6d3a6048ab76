import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';
import { inTime, summedUp, type ReadyPart } from '../client/readiness.ts';

type Options = { host: string; port: number; registry: Registry; ready: () => Promise<ReadyPart[]> };

/**
 * How a worker is that runs in a process of its own: `/healthz`, `/readyz` and `/metrics`, as the API has them.
 * @param port 0: any free one
 */
export async function showWorker({ host, port, registry, ready }: Options) {
  const app = new Hono()
    .get('/healthz', (c) => c.json({ status: 'up' }))
    .get('/readyz', async (c) => {
      const { isReady, parts } = summedUp(await inTime(ready));
      return isReady ? c.json({ status: 'ready', parts }) : c.json({ status: 'not_ready', parts }, 503);
    })
    .get('/metrics', async (c) => c.text(await registry.metrics(), 200, { 'content-type': registry.contentType }));
  const server = createServer(getRequestListener(app.fetch));
  await once(server.listen(port, host), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
