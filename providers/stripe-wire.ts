/** How Stripe is spoken: its own library, with our clock, time-outs and words for what goes wrong (providers.md 4.1, 4.5). */
import Stripe from 'stripe';
import { retryAfterMs } from '../wire/retry-after.ts';
import type { Edge } from './http.ts';
import { ProviderError } from './provider.ts';
import { maskedSentence } from './text.ts';

export type StripeAccount = {
  /** `acct_…`; only a name here, since neither calls nor events carry it. */
  accountId: string;
  secretKey: string;
  /** `whsec_…` of our endpoint; while it is rolled also the one before. */
  webhookSecret: string;
  webhookSecretBefore?: string | undefined;
};

export type StripeWire = {
  stripe: Stripe;
  /** @param what for messages. @throws ProviderError */
  ask<T>(what: string, call: (stripe: Stripe) => Promise<T>): Promise<T>;
};

/** @throws Error if a key can't be what it should be; names the field */
export function stripeWire({ secretKey, webhookSecret }: StripeAccount, edge: Edge): StripeWire {
  if (!/^(sk|rk)_(test|live)_\w+$/.test(secretKey)) throw new Error('stripe secretKey: must begin with sk_ or rk_');
  if (!webhookSecret.startsWith('whsec_')) throw new Error('stripe webhookSecret: must begin with whsec_');
  const { protocol, hostname, port } = new URL(edge.baseUrl);
  const isPlain = protocol === 'http:';
  const stripe = new Stripe(secretKey, {
    host: hostname,
    port: port === '' ? (isPlain ? 80 : 443) : Number(port),
    protocol: isPlain ? 'http' : 'https',
    timeout: edge.timeoutMs,
    maxNetworkRetries: 0, // The order repeats, under the same keys.
    telemetry: false,
    httpClient: Stripe.createFetchHttpClient(edge.fetch),
  });
  return {
    stripe,
    ask: (what, call) => call(stripe).catch((error: unknown) => Promise.reject(failureOf(what, error, edge.now()))),
  };
}

function failureOf(what: string, error: unknown, nowMs: number): Error {
  if (!(error instanceof Stripe.errors.StripeError)) return error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  const message = `stripe ${what}: ${error.statusCode ?? ''} ${code} ${maskedSentence(error.message)}`;
  const pause = retryAfterMs(new Headers(error.headers ?? {}).get('retry-after'), nowMs);
  return new ProviderError(outcomeOf(error), code, message, {
    cause: error,
    ...(pause !== undefined && { retryAfterMs: pause }),
  });
}

/** What Stripe answered where a call failed; undefined where nothing came. `isReplayed`: as before, under the same key. */
export function answerBehind(error: unknown): { status: number; isReplayed: boolean } | undefined {
  const { cause } = error instanceof ProviderError ? error : {};
  if (!(cause instanceof Stripe.errors.StripeError) || cause.statusCode === undefined) return undefined;
  const isReplayed = new Headers(cause.headers ?? {}).get('idempotent-replayed') === 'true';
  return { status: cause.statusCode, isReplayed };
}

const { StripeConnectionError, StripeRateLimitError, StripeIdempotencyError, StripeAPIError } = Stripe.errors;

type Failure = InstanceType<typeof Stripe.errors.StripeError>;

/** What never reached Stripe is named as it is everywhere, since an outage is known by that. */
function codeOf(error: Failure): string {
  if (!(error instanceof StripeConnectionError)) return error.code ?? error.type;
  return neverConnected(error) ? 'unreachable' : 'connection_broken';
}

function outcomeOf(error: Failure): ProviderError['outcome'] {
  if (error instanceof StripeConnectionError) return neverConnected(error) ? 'busy' : 'unknown';
  if (error instanceof StripeRateLimitError || error.code === 'lock_timeout') return 'busy';
  // The key has a history with other words, or its first request is still running: only a query tells.
  if (error instanceof StripeIdempotencyError || error.code === 'idempotency_key_in_use') return 'unknown';
  return error instanceof StripeAPIError || error.statusCode === undefined ? 'unknown' : 'refused';
}

/** The library wraps what fetch said, whose reason is its cause. */
function neverConnected({ detail }: { detail?: unknown }): boolean {
  const { cause } = (detail ?? {}) as { cause?: unknown };
  const reasons: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return reasons.every((reason) => {
    const { syscall, code } = (reason ?? {}) as NodeJS.ErrnoException;
    return syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT';
  });
}
