import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isTemporalAway } from '../client/errors.ts';
import { ProviderProblem, Refused } from '../client/refused.ts';
import type { ApiEnv } from './env.ts';
import { Problem, problemResponse, retryAfter } from './problem.ts';

const LATER = { headers: retryAfter() };

export const onError = (error: Error, c: Context<ApiEnv>): Response => problemResponse(logged(error, c));

/** Whatever was thrown becomes a problem; what we didn't expect is logged, and told to nobody. */
export function logged(error: unknown, c: Context<ApiEnv>): Problem {
  const problem = problemOf(error);
  if (problem.code === 'internal_error') c.var.log.error({ err: error }, 'a request failed');
  if (problem.code === 'temporarily_unavailable') c.var.log.warn({ err: error }, 'a request came too early');
  return problem;
}

/** The same for dialects, whose answers are always 200: when to come again is told beside them. */
export function loggedWithHint(error: unknown, c: Context<ApiEnv>): Problem {
  const problem = logged(error, c);
  const hint = problem.options.headers?.['retry-after'];
  if (hint !== undefined) c.header('retry-after', hint);
  return problem;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refused) return refusal(error);
  if (error instanceof ProviderProblem)
    return new Problem(error.code, error.message, error.code === 'provider_unavailable' ? LATER : {});
  if (error instanceof HTTPException) return fromHono(error);
  if (isDatabaseAway(error) || isTemporalAway(error)) return new Problem('temporarily_unavailable', undefined, LATER);
  return new Problem('internal_error');
}

function refusal({ refusal: { code, detail, path } }: Refused): Problem {
  return new Problem(code, detail, path === undefined ? {} : { errors: [{ path, message: detail }] });
}

function fromHono({ status }: HTTPException): Problem {
  if (status === 415) return new Problem('unsupported_media_type');
  if (status === 413) return new Problem('payload_too_large');
  return new Problem('invalid_request', 'The request body is no valid JSON.', {
    errors: [{ path: '', message: 'No valid JSON.' }],
  });
}

/** Class 08: connection; 57P0x: it is shutting down or starting; 53: no room. The rest is what Node says of sockets. */
const AWAY = /^(08\w{3}|57P0\d|53\w{3}|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EPIPE|EAI_AGAIN)$/;
const AWAY_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after)/;

export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isDatabaseAway)) return true;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && AWAY.test(code)) || AWAY_MESSAGES.test(error.message);
}
