import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { faulty } from '../faulty.ts';
import type { Env } from '../provider.ts';
import { captureOrder, createOrder, getCapture, getOrder } from './orders.ts';
import type { Answer, Call, Platform } from './platform.ts';
import { createRefund, getRefund } from './refunds.ts';
import { listTransactions } from './statements.ts';
import { invalid, notFound, Refusal } from './refusal.ts';

const LARGEST_BODY = 64 * 1024;

type Operation = (platform: Platform, call: Call) => Answer;

const OPERATIONS: readonly [method: 'GET' | 'POST', path: string, operation: Operation][] = [
  ['POST', '/v2/checkout/orders', createOrder],
  ['GET', '/v2/checkout/orders/:id', getOrder],
  ['POST', '/v2/checkout/orders/:id/capture', captureOrder],
  ['GET', '/v2/payments/captures/:capture_id', getCapture],
  ['POST', '/v2/payments/captures/:capture_id/refund', createRefund],
  ['GET', '/v2/payments/refunds/:refund_id', getRefund],
  ['GET', '/v1/reporting/transactions', listTransactions],
];
const PATHS = ['/v1/oauth2/*', '/v1/notifications/*', '/v1/reporting/*', '/v2/*'];

/** Tokens, orders, captures, refunds, and the certificate that events are verified with. */
export function paypalRoutes(platform: Platform): Hono<Env> {
  const routes = new Hono<Env>();
  for (const path of PATHS) {
    routes.use(
      path,
      faulty(platform.desk, 'paypal', () =>
        refused(new Refusal(500, 'INTERNAL_SERVER_ERROR', 'An internal server error occurred.')),
      ),
    );
    routes.use(path, bodyLimit({ maxSize: LARGEST_BODY, onError: () => new Response(null, { status: 413 }) }));
  }
  routes.post('/v1/oauth2/token', async (c) => issueToken(platform, c));
  routes.get('/v1/notifications/certs/:id', (c) => {
    const { id, certificatePem } = platform.key;
    return c.req.param('id') === id ? c.text(certificatePem) : refused(notFound());
  });
  for (const [method, path, operation] of OPERATIONS)
    routes.on(method, path, async (c) => {
      try {
        const { status, body } = operation(platform, await readCall(platform, c));
        return Response.json(body, { status, headers: { 'Paypal-Debug-Id': debugId() } });
      } catch (error) {
        if (error instanceof Refusal) return refused(error);
        throw error;
      }
    });
  routes.all('/v2/*', () => refused(notFound()));
  return routes;
}

const SCOPES = [
  'https://uri.paypal.com/services/checkout/orders',
  'https://uri.paypal.com/services/payments/refund',
  'https://uri.paypal.com/services/reporting/search/read',
];

async function issueToken({ merchants, tokens }: Platform, c: Context<Env>): Promise<Response> {
  const [, basic = ''] = /^Basic ([\w+/=]+)$/.exec(c.req.header('authorization') ?? '') ?? [];
  const [clientId = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const merchant = merchants.get(clientId);
  if (!merchant || !isSame(secret, merchant.clientSecret))
    return c.json({ error: 'invalid_client', error_description: 'Client Authentication failed' }, 401);
  if (new URLSearchParams(await c.req.text()).get('grant_type') !== 'client_credentials')
    return c.json({ error: 'unsupported_grant_type', error_description: 'Grant Type is NULL or unknown' }, 400);
  const scope = SCOPES.join(' ');
  return c.json({
    scope,
    token_type: 'Bearer',
    app_id: 'APP-80W284485P519543T',
    ...tokens.issue(clientId),
    nonce: debugId(),
  });
}

function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

async function readCall({ merchants, tokens }: Platform, c: Context<Env>): Promise<Call> {
  const [, token = ''] = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '') ?? [];
  const merchant = merchants.get(tokens.ownerOf(token) ?? '');
  if (!merchant)
    throw new Refusal(
      401,
      'AUTHENTICATION_FAILURE',
      'Authentication failed due to invalid authentication credentials or a missing Authorization header.',
    );
  const requestId = c.req.header('paypal-request-id') ?? null;
  if (requestId !== null && requestId.length > 108)
    throw invalid('INVALID_STRING_LENGTH', 'PayPal-Request-Id', 'The header is too long.');
  return {
    merchant,
    apiUrl: new URL(c.req.url).origin,
    path: c.req.param(),
    query: new URL(c.req.url).searchParams,
    requestId,
    isFull: c.req.header('prefer') === 'return=representation',
    body: c.req.method === 'POST' ? await readBody(c) : null,
  };
}

/** An empty body is none. */
async function readBody(c: Context<Env>): Promise<unknown> {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'The server does not support the request payload’s media type.');
  const text = await c.req.text();
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    throw invalid('MALFORMED_REQUEST_JSON', '/', 'The request JSON is not well formed.');
  }
}

const debugId = (): string => randomBytes(7).toString('hex').slice(0, 13);

function refused({ status, code, message, details }: Refusal): Response {
  const id = debugId();
  const body = { name: code, message, debug_id: id, details, links: [] };
  return Response.json(body, { status, headers: { 'Paypal-Debug-Id': id } });
}
