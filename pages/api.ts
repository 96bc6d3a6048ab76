import type { z } from '@hono/zod-openapi';
import type { Caller } from '../api/caller.ts';
import type { CallApi } from '../api/env.ts';
import type { FindingBody } from '../api/findings.ts';
import type { Me } from '../api/me.ts';
import { problemOf } from '../api/errors.ts';
import { problemBody, type ProblemCode } from '../api/problem.ts';
import type * as schemas from '../api/schemas.ts';
import type { StatisticsBody } from '../api/statistics.ts';

export type { FindingBody, Me, StatisticsBody };
export type { NotificationBody } from '../api/notifications.ts';
export type { OrderBody } from '../api/schemas.ts';
export type { WebhookEndpointBody } from '../api/webhook-endpoints.ts';
export type Payment = z.infer<typeof schemas.Payment>;
export type Refund = z.infer<typeof schemas.Refund>;
export type Event = z.infer<typeof schemas.Event>;
export type OfferedMethod = z.infer<typeof schemas.OfferedMethod>;
export type List<T> = { data: T[]; next_cursor: string | null };

/** What the API refused, as its clients are told. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly errors: FieldError[];
  /** The one that is missing, if that is it. */
  readonly scope: string | null;
  constructor({ status, code, detail, errors = [], scope = null }: ProblemBody) {
    super(detail);
    this.scope = scope;
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}
type FieldError = { path: string; message: string };
type ProblemBody = {
  status: number;
  code: ProblemCode;
  detail: string;
  errors?: FieldError[];
  scope?: string | null;
};

/** Whatever went wrong, as the API would have told it. */
export const apiProblemOf = (error: unknown): ApiProblem =>
  error instanceof ApiProblem ? error : new ApiProblem(problemBody(problemOf(error)) as ProblemBody);

/** The API as one caller may use it: the pages do nothing that a client could not. */
export type Api = {
  /** @throws ApiProblem */
  get<T>(path: string): Promise<T>;
  /** @throws ApiProblem */
  post<T>(path: string, body: object, idempotencyKey?: string): Promise<T>;
  /** The order's events as they happen, from the API as they are. */
  events(path: string, lastEventId: string | undefined): Promise<Response>;
};

/** @param who a checkout token, or a caller who was found out by their session. `requestId`: for the log */
export function apiFor(call: CallApi, who: { token: string } | { caller: Caller }, requestId: string): Api {
  const caller = 'caller' in who ? who.caller : undefined;
  const common: Record<string, string> = {
    'x-request-id': requestId,
    ...('token' in who && { authorization: `Bearer ${who.token}` }),
  };
  const send = (path: string, init: RequestInit, headers: Record<string, string>) =>
    call(new Request(`http://pages${path}`, { ...init, headers: { ...common, ...headers } }), caller);
  return {
    get: async (path) => contentOf(await send(path, {}, {})),
    post: async (path, body, key) =>
      contentOf(
        await send(
          path,
          { method: 'POST', body: JSON.stringify(body) },
          { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
        ),
      ),
    events: (path, last) =>
      send(path, {}, { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) }),
  };
}

async function contentOf<T>(response: Response): Promise<T> {
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  throw new ApiProblem(body as ProblemBody);
}
