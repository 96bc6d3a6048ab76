import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { LIMITS } from '../domain/limits.ts';
import type { ApiEnv } from './env.ts';
import { notFound, PROBLEMS, type ProblemCode } from './problem.ts';

/** The API's own description: `/openapi.json` for programs, `/docs` for people, `/problems/{code}` for the puzzled. */
export function describe(api: OpenAPIHono<ApiEnv>, publicUrl: string): OpenAPIHono<ApiEnv> {
  registerCommon(api);
  let document: string | undefined;
  api.get('/openapi.json', (c) => {
    document ??= JSON.stringify(api.getOpenAPI31Document(about(publicUrl)));
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
  api.get('/problems/:code', (c) => {
    const { title, status } = PROBLEMS[c.req.param('code') as ProblemCode] ?? {};
    if (!title) throw notFound();
    return c.text(`${title}\n\nHTTP status ${status}. What exactly is meant stands in the problem's "detail".\n`);
  });
  api.get('/', (c) => c.redirect('/docs', 302));
  api.get('/docs/', (c) => c.redirect('/docs', 301));
  api.route('/docs', pages());
  return api;
}

const about = (publicUrl: string) => ({
  openapi: '3.1.0',
  info: {
    title: 'Durable orders',
    version: '1',
    description: [
      'Each order is one durable workflow. Money: integers in the minor unit of `currency`. Times: RFC 3339, UTC out, ' +
        'any offset in. Absent values are null. Unknown fields are refused; optional ones may be null. Errors are ' +
        '`application/problem+json` with a stable `code`. Lists are newest first where nothing else is said; ' +
        '`next_cursor` leads to the next page.',
      'Send an `Idempotency-Key` with every POST: the same key with the same body gets the same answer, for at least ' +
        '24 hours (`Idempotency-Replayed: true`). Answers of 500 and above are not kept: the same key goes on.',
      'What is stored can be read while the rest is away; 503 says when to try again, and nothing was lost.',
    ].join('\n\n'),
  },
  servers: [{ url: publicUrl }],
});

function registerCommon({ openAPIRegistry }: OpenAPIHono<ApiEnv>): void {
  openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: "A merchant's API key or a person's operator key, with scopes",
  });
  openAPIRegistry.registerComponent('securitySchemes', 'checkoutToken', {
    type: 'http',
    scheme: 'bearer',
    description: "One order's customer",
  });
  openAPIRegistry.registerComponent('parameters', 'IdempotencyKey', {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The same request again gets the same answer',
    schema: { type: 'string', minLength: 1, maxLength: LIMITS.idempotencyKeyLength },
    example: 'order-A-1001',
  });
}

const FILES: Record<string, string> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Durable orders: the API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;
/** Swagger UI writes styles into its elements and shows small pictures of its own. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function pages(): Hono<ApiEnv> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = new Hono<ApiEnv>();
  router.get('/', (c) => c.html(PAGE, 200, { 'content-security-policy': POLICY }));
  router.get('/start.js', (c) => c.body(START, 200, { 'content-type': 'text/javascript' }));
  router.get('/:file', async (c) => {
    const type = FILES[c.req.param('file')];
    if (!type) throw notFound();
    const content = await readFile(join(folder, c.req.param('file')));
    return c.body(new Uint8Array(content), 200, { 'content-type': type, 'cache-control': 'public, max-age=3600' });
  });
  return router;
}
