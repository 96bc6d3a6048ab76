import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { allow, type Access } from './auth.ts';
import { readable } from './body.ts';
import type { ApiEnv } from './env.ts';
import { invalid, problemResponses, type FieldError, type ProblemCode } from './problem.ts';

/**
 * A call of the REST API: who may make it, what it takes and answers, and the problems of its own. What all calls
 * have in common (keys, scopes, Idempotency-Key, the problems that any call may end with) is added here.
 */
export function operation<const R extends RouteConfig>(
  access: Access,
  route: R,
  codes: readonly ProblemCode[] = [],
): R {
  const takesBody = route.method === 'post';
  const middleware: MiddlewareHandler<ApiEnv>[] = takesBody ? [allow(access), once, readable] : [allow(access)];
  return {
    ...route,
    description: [route.description, accessText(access)].filter(Boolean).join('\n\n'),
    security: access.customer ? [{ key: [] }, { checkoutToken: [] }] : [{ key: [] }],
    ...(takesBody && { parameters: [{ $ref: '#/components/parameters/IdempotencyKey' }] }),
    middleware,
    responses: { ...route.responses, ...problemResponses([...codes, ...commonCodes(route)]) },
  };
}

const accessText = ({ scope, customer }: Access): string =>
  `Scope: \`${scope}\`${customer ? "; also by the order's own checkout token" : ''}.`;

const once: MiddlewareHandler<ApiEnv> = (c, next) => c.var.once(c, next);

function commonCodes({ method, path, request }: RouteConfig): ProblemCode[] {
  return [
    ...(method === 'post' || request?.query ? (['invalid_request'] as const) : []),
    'unauthenticated',
    'forbidden',
    ...(path.includes('{') ? (['not_found'] as const) : []),
    ...(method === 'post'
      ? ([
          'idempotency_key_in_progress',
          'payload_too_large',
          'unsupported_media_type',
          'idempotency_key_reused',
        ] as const)
      : []),
    'rate_limited',
    'internal_error',
    'temporarily_unavailable',
  ];
}

/** What each group of routes is put into. */
export const newRouter = () =>
  new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalid(...fieldErrors(result.error.issues));
    },
  });

const SHOWN = 100;

/** One error for each wrong field, unknown ones by their own names. */
function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  const errors = issues.flatMap(errorsOf);
  const first = new Map(errors.toReversed().map((error) => [error.path, error]));
  return [...new Set(errors.map(({ path }) => first.get(path)!))].slice(0, SHOWN);
}

function errorsOf(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'There is no such field.' }));
  return [{ path: path.join('.'), message: issue.message.replace(/^Invalid input: /, '') }];
}

export const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { 'application/json': { schema } },
});
export const body = <S extends z.ZodType>(schema: S, required = true) => ({
  required,
  content: { 'application/json': { schema } },
});
