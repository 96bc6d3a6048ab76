import type { Hono } from 'hono';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { OrderGateway } from '../client/gateway.ts';
import type { Notifiers } from '../client/notifiers.ts';
import type { ReadyPart } from '../client/readiness.ts';
import type { SavedFeed } from '../db/saved-feed.ts';
import type { Database } from '../db/schema.ts';
import type { Sealer } from '../db/sealed.ts';
import type { FindMachines } from '../devices/gateways.ts';
import type { FindProvider } from '../providers/accounts.ts';
import type { Caller } from './caller.ts';
import type { OnceOnly } from './idempotency.ts';
import type { Metrics } from './metrics.ts';

export type ApiDeps = {
  db: Kysely<Database>;
  gateway: OrderGateway;
  notifiers: Notifiers;
  /** Whether merchants' endpoints may be on this machine: in the embedded mode. */
  allowLoopback: boolean;
  sealer: Sealer;
  findProvider: FindProvider;
  findMachines: FindMachines;
  saved: SavedFeed;
  /** How the outside sees us; without a slash at the end. */
  publicUrl: string;
  /** Where people see an order's run; null if nobody said. */
  temporalUi: { url: string; namespace: string } | null;
  /** Per caller; null: none. */
  rateLimit: { perMinute: number } | null;
  /** What course clients sign a payment's result with; null: no signature counts. */
  courseNotifySecret: string | null;
  /** Epoch milliseconds. */
  now: () => number;
  ready: () => Promise<ReadyPart[]>;
  log: Logger;
  registry: Registry;
};

/** What goes on beyond one request: the server waits for `background` and ends streams when `stopping`. */
export type Lifecycle = { stopping: AbortSignal; background: Set<Promise<unknown>> };

/** How long calls wait: see `impatience.ts`. */
export type Impatient = {
  gateway: OrderGateway;
  /** @throws Problem temporarily_unavailable, once Temporal or the database is away */
  unlessAway: <T>(call: Promise<T>) => Promise<T>;
};

/** What the routes get. */
export type Services = ApiDeps & Lifecycle & Impatient & { metrics: Metrics };

/** The API as our own pages call it, in this process. `caller`: who was found out by other means than a bearer. */
export type CallApi = (request: Request, caller?: Caller) => Promise<Response>;
/** What is put in front of the API: pages for people. */
export type Pages = (services: Services, call: CallApi) => Hono<ApiEnv>;

/** What the middleware leaves with a request. */
export type ApiEnv = {
  /** Given by our own pages, which have found out already who calls; requests from outside can't have it. */
  Bindings: { caller?: Caller };
  Variables: {
    requestId: string;
    log: Logger;
    caller: Caller;
    once: OnceOnly;
    /** The body, read and measured. */
    bytes?: Uint8Array;
    /** Given where the request came with an Idempotency-Key: what ids are made of, so that repeating is harmless. */
    seed?: { ids: string; wish: string };
    /** The order that the answer is about. */
    order?: string;
    /** Of a notice, whose sender is no caller. */
    merchant?: string;
  };
};
