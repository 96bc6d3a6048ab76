import { SpanKind, trace } from '@opentelemetry/api';
import { ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import { Histogram } from 'prom-client';
import { ProviderError, type PaymentProvider } from './provider.ts';

/** So many calls in a row without an answer, and nobody calls for a while; then one call tries. */
const OUTAGES = 5;
const PAUSE_MS = 5_000;

/** One for each merchant's account: another account, even at the same provider, may answer. */
export type Breaker = ReturnType<typeof newBreaker>;
export const newBreaker = () =>
  circuitBreaker(handleWhen(isOutage), { halfOpenAfter: PAUSE_MS, breaker: new ConsecutiveBreaker(OUTAGES) });

/** No answer, a broken one, or nobody there. "No" and "not so often" are answers. */
const isOutage = (error: Error): boolean =>
  error instanceof ProviderError && (error.outcome === 'unknown' || error.code === 'unreachable');

/** `outcome`: ok, those of a ProviderError, open (not called, see `guarded`), or error (a bug). */
export const providerCalls = new Histogram({
  name: 'orders_provider_call_duration_seconds',
  help: 'How long calls to payment providers took, by outcome: ok, refused, busy, unknown, open (not called), error',
  labelNames: ['provider', 'operation', 'outcome'],
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  registers: [],
});

/** Measures a call, in a span within what asked for it where that is traced. @returns to be told how it ended */
function timed(provider: string, operation: string): (outcome: string) => void {
  const stop = providerCalls.startTimer({ provider, operation });
  const tracer = trace.getActiveSpan() && trace.getTracer('durable-orders');
  const span = tracer?.startSpan(`${provider} ${operation}`, { kind: SpanKind.CLIENT });
  return (outcome) => {
    stop({ outcome });
    span?.setAttribute('orders.outcome', outcome).end();
  };
}

/**
 * The same account, every call of it measured, and none made while its provider is dead: that is answered `busy` at
 * once, so that nobody waits for a time-out and every duty is tried again later.
 */
export function guarded(provider: PaymentProvider, breaker: Breaker): PaymentProvider {
  const { name } = provider;
  const measured = async <Answer>(operation: string, call: () => Promise<Answer>): Promise<Answer> => {
    const end = timed(name, operation);
    try {
      const answer = await call();
      end('ok');
      return answer;
    } catch (error) {
      end(outcomeOf(error));
      if (!isBrokenCircuitError(error)) throw error;
      const message = `${name} ${operation}: not called, it has not answered for a while`;
      throw new ProviderError('busy', 'circuit_open', message, { retryAfterMs: PAUSE_MS, cause: error });
    }
  };
  const through =
    <Asked, Answer>(operation: string, call: (asked: Asked) => Promise<Answer>) =>
    (asked: Asked): Promise<Answer> =>
      measured(operation, () => breaker.execute(() => call(asked)));
  return {
    ...provider,
    open: through('open', (attempt) => provider.open(attempt)),
    query: through('query', (payment) => provider.query(payment)),
    ...(provider.capture && { capture: through('capture', provider.capture.bind(provider)) }),
    close: through('close', (payment) => provider.close(payment)),
    refund: through('refund', (request) => provider.refund(request)),
    queryRefund: through('queryRefund', (request) => provider.queryRefund(request)),
    // Bills come from other machines, slowly: no sign of how payments fare.
    statement: (day) => measured('statement', () => provider.statement(day)),
  };
}

function outcomeOf(error: unknown): string {
  if (isBrokenCircuitError(error)) return 'open';
  return error instanceof ProviderError ? error.outcome : 'error';
}
