import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { faulty } from '../faulty.ts';
import type { Env } from '../provider.ts';
import { parsedForm } from './form.ts';
import { KeptAnswers } from './idempotency.ts';
import type { StripeMerchant } from './merchant.ts';
import type { Call, Kept, Platform, RefundDetails, SessionDetails } from './platform.ts';
import { API_VERSION, newId, refundDetails, sessionDetails } from './platform.ts';
import { begun, createRefund, listRefunds, readRefund } from './refunds.ts';
import { Refusal } from './refusal.ts';
import { listBalanceTransactions } from './statements.ts';
import { createSession, expireSession, listSessions, readIntent, readSession } from './sessions.ts';

const LARGEST_BODY = 64 * 1024;
const LONGEST_KEY = 255;

/** `keptAs` makes what is to be remembered under the call's Idempotency-Key out of the answer. */
type Operation = (platform: Platform, call: Call, keptAs: (answer: object) => Kept | null) => object;

const OPERATIONS: readonly [method: 'GET' | 'POST', path: string, operation: Operation][] = [
  ['POST', '/v1/checkout/sessions', newSession],
  ['GET', '/v1/checkout/sessions', listSessions],
  ['GET', '/v1/checkout/sessions/:id', readSession],
  ['POST', '/v1/checkout/sessions/:id/expire', expireSession],
  ['GET', '/v1/payment_intents/:id', readIntent],
  ['POST', '/v1/refunds', newRefund],
  ['GET', '/v1/refunds', listRefunds],
  ['GET', '/v1/refunds/:id', readRefund],
  ['GET', '/v1/balance_transactions', listBalanceTransactions],
];
const ROOTS = ['/v1/checkout/*', '/v1/payment_intents/*', '/v1/refunds/*', '/v1/balance_transactions/*'];

/** Stripe's paths; others of /v1 belong to other providers. */
export function stripeRoutes(platform: Platform): Hono<Env> {
  const routes = new Hono<Env>();
  const kept = new KeptAnswers(platform.desk.books);
  for (const root of ROOTS) {
    routes.use(root, faulty(platform.desk, 'stripe', outage));
    routes.use(root, bodyLimit({ maxSize: LARGEST_BODY, onError: () => new Response(null, { status: 413 }) }));
  }
  for (const [method, path, operation] of OPERATIONS)
    routes.on(method, path, (c) => answerTo(platform, kept, c, operation));
  for (const root of ROOTS)
    routes.all(root, (c) => refused(new Refusal(404, `Unrecognized request URL (${c.req.method}: ${c.req.path}).`)));
  return routes;
}

function newSession({ desk, ...rest }: Platform, call: Call, keptAs: (answer: object) => Kept | null): object {
  const { payment, answer } = createSession({ desk, ...rest }, call);
  const details: SessionDetails = { ...sessionDetails(payment), kept: keptAs(answer) };
  desk.books.write({ payment: { ...payment, details } });
  return answer;
}

function newRefund(platform: Platform, call: Call, keptAs: (answer: object) => Kept | null): object {
  const { refund, answer } = createRefund(platform, call);
  const details: RefundDetails = { ...refundDetails(refund), kept: keptAs(answer) };
  platform.desk.books.write({ refund: { ...refund, details } });
  begun(platform, { ...refund, details });
  return answer;
}

async function answerTo(
  platform: Platform,
  kept: KeptAnswers,
  c: Context<Env>,
  operation: Operation,
): Promise<Response> {
  try {
    const merchant = merchantOf(platform, c.req.header('authorization'));
    const text = c.req.method === 'POST' ? await c.req.text() : new URL(c.req.url).search.slice(1);
    const key = c.req.method === 'POST' ? keyOf(c) : null;
    const request = `${c.req.path} ${text}`;
    const earlier = key === null ? undefined : kept.find(merchant.stripeAccount, key, request);
    if (earlier) return responseOf(earlier.status, earlier.answer, { 'Idempotent-Replayed': 'true' });
    const remember = (status: number, answer: object): Kept | null => {
      const entry = key === null ? null : { key, request, status, answer: textOf(answer) };
      kept.keep(merchant.stripeAccount, entry);
      return entry;
    };
    return done(
      platform,
      { merchant, path: c.req.param(), params: parsedForm(text), idempotencyKey: key },
      operation,
      remember,
    );
  } catch (error) {
    if (error instanceof Refusal) return refused(error);
    throw error;
  }
}

/** A "no" after the work had begun is kept like an answer; what was wrong from the start is not. */
function done(
  platform: Platform,
  call: Call,
  operation: Operation,
  remember: (status: number, answer: object) => Kept | null,
): Response {
  try {
    let isKept = false;
    const answer = operation(platform, call, (made) => {
      isKept = true;
      return remember(200, made);
    });
    if (!isKept) remember(200, answer);
    return responseOf(200, textOf(answer));
  } catch (error) {
    if (error instanceof Refusal && error.kept) remember(error.status, error.body);
    throw error;
  }
}

function merchantOf({ merchants }: Platform, authorization = ''): StripeMerchant {
  const [, scheme = '', credentials = ''] = /^(Bearer|Basic) (\S+)$/.exec(authorization) ?? [];
  const key = scheme === 'Basic' ? (Buffer.from(credentials, 'base64').toString().split(':')[0] ?? '') : credentials;
  if (key === '') throw new Refusal(401, 'You did not provide an API key.');
  const merchant = merchants.get(key);
  if (merchant) return merchant;
  throw new Refusal(401, `Invalid API Key provided: ${key.slice(0, 8)}****`);
}

function keyOf(c: Context<Env>): string | null {
  const key = c.req.header('idempotency-key');
  if (key !== undefined && (key.length === 0 || key.length > LONGEST_KEY))
    throw new Refusal(400, `Idempotency-Key must be 1 to ${LONGEST_KEY} characters.`);
  return key ?? null;
}

const textOf = (answer: object): string => JSON.stringify(answer, null, 2);

function responseOf(status: number, text: string, more: Record<string, string> = {}): Response {
  const headers = { 'Content-Type': 'application/json', 'Request-Id': newId('req'), 'Stripe-Version': API_VERSION };
  return new Response(text, { status, headers: { ...headers, ...more } });
}

const refused = (refusal: Refusal): Response => responseOf(refusal.status, textOf(refusal.body));

const outage = (): Response => refused(new Refusal(500, 'An unknown error occurred', { type: 'api_error' }));
