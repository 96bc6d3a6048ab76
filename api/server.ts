import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import type { ApiDeps, Pages } from './env.ts';

export type RunningApi = {
  /** On this machine. */
  url: string;
  stop(): Promise<void>;
};

/** Requests under way, and orders that are just being started, have so long to finish. */
const PATIENCE_MS = 10_000;
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;

type Options = { deps: ApiDeps; host: string; port: number; pages?: Pages };

/** Listens until it is stopped. @param port 0: any free one. @throws what Node says where the port is taken */
export async function runApi({ deps, host, port, pages }: Options): Promise<RunningApi> {
  const stopping = new AbortController();
  const background = new Set<Promise<unknown>>();
  const app = createApp(deps, { stopping: stopping.signal, background }, pages);
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: 30_000 },
    getRequestListener(app.fetch),
  );
  await listening(server, port, host);
  const { port: actual } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${actual}`;
  deps.log.info({ url }, 'the API listens');
  return {
    url,
    async stop() {
      stopping.abort();
      const ended = Promise.all([closed(server), ...background]).then(() => true);
      const tooLong = new Promise<false>((resolve) => setTimeout(resolve, PATIENCE_MS, false).unref());
      if (!(await Promise.race([ended, tooLong]))) deps.log.warn('the API stopped in the middle of requests');
      server.closeAllConnections();
    },
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A connection that is kept alive after its last answer would hold everything up. */
async function closed(server: Server): Promise<void> {
  const closing = setInterval(() => server.closeIdleConnections(), 100);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(closing);
}
