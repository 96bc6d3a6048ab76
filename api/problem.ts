import { z } from '@hono/zod-openapi';
import type { RefusalCode } from '../domain/commands.ts';

/** Every problem of the contract: its status, and what it means in a few words. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'A valid key or token is needed' },
  forbidden: { status: 403, title: 'This key or token may not do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  pickup_code_invalid: { status: 404, title: 'The pick-up code opens nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not known here' },
  order_expired: { status: 409, title: 'The order has expired' },
  invalid_state: { status: 409, title: 'The order does not allow this now' },
  already_paid: { status: 409, title: 'The order is already paid' },
  refund_exceeds_paid: { status: 409, title: 'More than is left of what was paid' },
  refund_window_closed: { status: 409, title: 'The time for refunds is over' },
  limit_reached: { status: 409, title: 'The order takes no more of these' },
  merchant_order_no_taken: { status: 409, title: 'Another order has this merchant_order_no' },
  idempotency_key_in_progress: { status: 409, title: 'The first request with this Idempotency-Key is still running' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The request body must be JSON' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key came with another body before' },
  payment_method_unavailable: { status: 422, title: 'This payment method is not on offer here' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  provider_error: { status: 502, title: 'The payment provider refused' },
  provider_unavailable: { status: 503, title: 'The payment provider does not answer' },
  temporarily_unavailable: { status: 503, title: 'Not possible at the moment; nothing was lost' },
} as const satisfies Record<RefusalCode, unknown> & Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one field of the request: `path` as in `items.0.quantity`. */
export type FieldError = { path: string; message: string };

type ProblemOptions = {
  errors?: readonly FieldError[];
  /** Members beside those of RFC 9457, as `order_id`. */
  extra?: Record<string, unknown>;
  headers?: Record<string, string>;
};

/** A request that ends with a problem: thrown anywhere, answered by `onError`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly options: ProblemOptions;
  constructor(code: ProblemCode, detail: string = PROBLEMS[code].title, options: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    this.options = options;
  }
}

/** So long after an outage turned somebody away, it is worth trying again. */
export const RETRY_SECONDS = 2;
/** The header that says when to come again. */
export const retryAfter = (seconds = RETRY_SECONDS) => ({ 'retry-after': String(seconds) });

/** The same for whatever there is not, and for whatever is another merchant's. */
export const notFound = (): Problem => new Problem('not_found');
export const invalid = (...errors: FieldError[]): Problem =>
  new Problem('invalid_request', 'Some fields of the request are not valid: see errors.', { errors });

export function problemBody({ code, message, options: { errors, extra } }: Problem): Record<string, unknown> {
  const { status, title } = PROBLEMS[code];
  return { type: `/problems/${code}`, title, status, code, detail: message, ...(errors && { errors }), ...extra };
}

/** As RFC 9457 wants it. */
export function problemResponse(problem: Problem): Response {
  return new Response(JSON.stringify(problemBody(problem)), {
    status: PROBLEMS[problem.code].status,
    headers: { 'content-type': 'application/problem+json', ...problem.options.headers },
  });
}

const ProblemSchema = z
  .object({
    type: z.string().openapi({ format: 'uri-reference', description: 'Explains the problem to people' }),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]).openapi({ description: 'Stable' }),
    detail: z.string(),
    errors: z
      .array(z.object({ path: z.string().openapi({ example: 'items.0.quantity' }), message: z.string() }))
      .optional()
      .openapi({ description: 'For invalid_request: what is wrong with which field' }),
    order_id: z.string().optional().openapi({ description: 'For merchant_order_no_taken: the order that has it' }),
    scope: z.string().optional().openapi({ description: 'For forbidden: the scope that is missing, if it is one' }),
    reason: z.string().optional().openapi({ description: 'For payment_method_unavailable: why' }),
  })
  .openapi('Problem', {
    example: {
      type: '/problems/invalid_request',
      title: PROBLEMS.invalid_request.title,
      status: 400,
      code: 'invalid_request',
      detail: 'The request has 1 wrong field.',
      errors: [{ path: 'items.0.quantity', message: 'Too big: expected number to be <=9999' }],
    },
  });

/** The documented problems of a call: one response per status, naming its codes. */
export function problemResponses(codes: readonly ProblemCode[]) {
  const content = { 'application/problem+json': { schema: ProblemSchema } };
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].toSorted((a, b) => a - b);
  const described = (status: number) =>
    codes
      .filter((code) => PROBLEMS[code].status === status)
      .map((code) => `\`${code}\`: ${PROBLEMS[code].title}`)
      .join('. ');
  return Object.fromEntries(
    statuses.map((status) => [status, { description: `${described(status)}.`, content, ...headersOf(status) }]),
  );
}

function headersOf(status: number) {
  if (status === 429 || status === 503)
    return {
      headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' as const } } },
    };
  return {};
}
