/** How PayPal's REST API is spoken, whatever is said (providers.md 5.1, 5.4, 5.6). What it means is in paypal.ts. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { retryAfterMs } from '../wire/retry-after.ts';
import { call, parseJson, type Edge, type HttpAnswer } from './http.ts';
import { ProviderError } from './provider.ts';
import { maskedSentence } from './text.ts';

export type PayPalAccount = {
  /** The REST app's. */
  clientId: string;
  clientSecret: string;
  /** Whom the money is for: PayPal's 13 characters for the account. */
  merchantId: string;
  /** The app's webhook, whose URL is our own for this merchant. */
  webhookId: string;
  /** PEM of who else than the system's roots may vouch for the certificate of events: the simulator's own. */
  trustedCertificates?: string | undefined;
};

export type PayPalWire = {
  /** The answer's JSON. @param what for messages. @throws ProviderError */
  get(what: string, path: string): Promise<unknown>;
  /** @param requestId the same id is the same thing, however often it is asked for; null where the path says it all */
  post(what: string, path: string, requestId: string | null, body: object): Promise<unknown>;
};

type Question = { what: string; method: 'GET' | 'POST'; path: string; requestId?: string | null; body?: object };

export function payPalWire(account: PayPalAccount, edge: Edge): PayPalWire {
  const ask = async (question: Question): Promise<unknown> => {
    const token = await tokenFor(account, edge);
    let answer = await send(edge, token, question);
    // Tokens can end before their time; nothing happened then.
    if (answer.status === 401) answer = await send(edge, await tokenFor(account, edge, token), question);
    if (answer.status !== 200 && answer.status !== 201) throw refusal(question.what, answer, edge.now());
    return parseJson(answer.body);
  };
  return {
    get: (what, path) => ask({ what, method: 'GET', path }),
    post: (what, path, requestId, body) => ask({ what, method: 'POST', path, requestId, body }),
  };
}

const urlOf = ({ baseUrl }: Edge, path: string): URL => new URL(baseUrl.replace(/\/+$/, '') + path);

function send(edge: Edge, token: string, { what, method, path, requestId, body }: Question): Promise<HttpAnswer> {
  return call(edge, `paypal ${what}`, {
    method,
    url: urlOf(edge, path),
    headers: {
      accept: 'application/json',
      'user-agent': 'durable-orders',
      authorization: `Bearer ${token}`,
      prefer: 'return=representation',
      ...(body && { 'content-type': 'application/json' }),
      ...(requestId && { 'paypal-request-id': requestId }),
    },
    body: body ? Buffer.from(JSON.stringify(body)) : null,
  });
}

/** A token is renewed so long before its end. Milliseconds. */
const EARLY = 120_000;
const MOST_KEPT = 1_000;
type Kept = { token: Promise<string>; until: number };

/** Tokens last for hours and adapters for seconds, so they are kept for the process, by whom they are for. */
const kept = new Map<string, Kept>();

/** One call at a time asks for a token; the others wait for it. @param spent one that was refused */
async function tokenFor(account: PayPalAccount, edge: Edge, spent?: string): Promise<string> {
  const { clientId, clientSecret } = account;
  const key = createHash('sha256')
    .update(JSON.stringify([edge.baseUrl, clientId, clientSecret]))
    .digest('hex');
  const known = kept.get(key);
  if (known && known.until > edge.now() && (spent === undefined || (await known.token) !== spent)) return known.token;
  const latest = kept.get(key);
  if (latest && latest !== known) return latest.token;
  const asked: Kept = { token: Promise.resolve(''), until: Number.POSITIVE_INFINITY };
  asked.token = newToken(account, edge).then(
    ({ token, until }) => {
      asked.until = until;
      return token;
    },
    (error: unknown) => {
      if (kept.get(key) === asked) kept.delete(key);
      throw error;
    },
  );
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(key, asked);
  return asked.token;
}

const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** @throws ProviderError busy: what the token is for was not asked yet; refused: not with these credentials */
async function newToken(
  { clientId, clientSecret }: PayPalAccount,
  edge: Edge,
): Promise<{ token: string; until: number }> {
  const answer = await call(edge, 'paypal token', {
    method: 'POST',
    url: urlOf(edge, '/v1/oauth2/token'),
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: Buffer.from('grant_type=client_credentials'),
  }).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    throw new ProviderError('busy', error.code, error.message, { cause: error });
  });
  if (answer.status === 401)
    throw new ProviderError('refused', 'invalid_client', "paypal: the account's client id or secret is wrong");
  const { data } = Token.safeParse(parseJson(answer.body));
  if (answer.status !== 200 || !data)
    throw new ProviderError(
      'busy',
      `HTTP_${answer.status}`,
      `paypal token: ${answer.status}`,
      pauseOf(answer, edge.now()),
    );
  return { token: data.access_token, until: edge.now() + data.expires_in * 1000 - EARLY };
}

const Refusal = z.object({
  name: z.string().regex(/^[A-Z0-9_]{1,64}$/),
  message: z.string().catch(''),
  details: z.array(z.object({ issue: z.string().regex(/^[A-Z0-9_]{1,64}$/) })).catch([]),
});

/** Section 5.6: the issue says more than the name. */
function refusal(what: string, answer: HttpAnswer, nowMs: number): ProviderError {
  const { data } = Refusal.safeParse(parseJson(answer.body));
  const code = data?.details[0]?.issue ?? data?.name ?? `HTTP_${answer.status}`;
  const words = `paypal ${what}: ${answer.status} ${code} ${maskedSentence(data?.message ?? '')}`.trimEnd();
  return new ProviderError(outcomeOf(answer.status, data !== undefined), code, words, pauseOf(answer, nowMs));
}

function outcomeOf(status: number, isPayPals: boolean): ProviderError['outcome'] {
  if (status === 429) return 'busy';
  // 409: an earlier call with the same id is still under way. Not PayPal's words: something on the way answered.
  if (status < 400 || status >= 500 || status === 409 || !isPayPals) return 'unknown';
  return 'refused';
}

function pauseOf({ headers }: HttpAnswer, nowMs: number): { retryAfterMs?: number } {
  const pause = retryAfterMs(headers.get('retry-after'), nowMs);
  return pause === undefined ? {} : { retryAfterMs: pause };
}
