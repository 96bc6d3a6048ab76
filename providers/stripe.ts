/**
 * Cards through Stripe's Checkout (providers.md section 4).
 *
 *     stripe(account, realEdge('https://api.stripe.com'))
 */
import type { Money } from '../domain/money.ts';
import { acknowledgedBy, unsupportedMethod } from './adapting.ts';
import type { Edge } from './http.ts';
import {
  ProviderError,
  type Acknowledgement,
  type Attempt,
  type Opened,
  type PaymentProvider,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { isOurs, noticeIn, refundReport, sessionReport, type Session } from './stripe-reports.ts';
import { stripeStatement } from './stripe-statement.ts';
import { answerBehind, stripeWire, type StripeAccount, type StripeWire } from './stripe-wire.ts';
import { withinBytes } from './text.ts';

export type { StripeAccount } from './stripe-wire.ts';

type Desk = { wire: StripeWire; now: () => number };

/** @throws Error if the account's keys can't be what they should be; names the field */
export function stripe(account: StripeAccount, edge: Edge): PaymentProvider {
  const desk: Desk = { wire: stripeWire(account, edge), now: edge.now };
  return {
    name: 'stripe',
    open: (attempt) => open(desk, attempt),
    query: (payment) => query(desk, payment),
    close: (payment) => close(desk, payment),
    refund: (request) => refund(desk, request),
    queryRefund: (request) => queryRefund(desk, request),
    statement: (day) => stripeStatement(desk.wire, day),
    readNotice: async (request) => noticeIn(desk.wire, account, request, edge.now()),
    acknowledge,
    isOurs: (given) => isOurs(account, given),
  };
}

const HOUR_MS = 3_600_000;

/**
 * A session lives half an hour at least and a day at most, counted from its creation, which may be a repeated one: so it
 * may outlive its attempt, which then closes it. Seconds; the same in every repetition, or the key would not fit.
 */
const expiryOf = ({ startedAt, expiresAt }: Attempt): number =>
  Math.floor(Math.min(Math.max(expiresAt, startedAt + HOUR_MS), startedAt + 24 * HOUR_MS) / 1000);

async function open(desk: Desk, attempt: Attempt): Promise<Opened> {
  if (attempt.method !== 'card.stripe') throw unsupportedMethod(attempt.method);
  const session = await newSession(desk, attempt, `open-${attempt.outTradeNo}`).catch((error: unknown) =>
    sessionInSpiteOf(error, desk, attempt),
  );
  if (!session.url) throw new ProviderError('unknown', 'not_open', 'stripe open: the session is not open any more');
  return { action: { type: 'redirect', url: session.url }, reference: session.id };
}

function newSession({ wire }: Desk, attempt: Attempt, idempotencyKey: string): Promise<Session> {
  const { outTradeNo, orderId, money, description, returnUrl } = attempt;
  const metadata = { out_trade_no: outTradeNo, order_id: orderId };
  const name = withinBytes(description, 250) || outTradeNo;
  const price = { currency: currencyOf(money), unit_amount: money.amount, product_data: { name } };
  return wire.ask('open', (stripe) =>
    stripe.checkout.sessions.create(
      {
        mode: 'payment',
        line_items: [{ quantity: 1, price_data: price }],
        success_url: returnUrl,
        cancel_url: returnUrl,
        client_reference_id: outTradeNo,
        metadata,
        payment_intent_data: { metadata },
        expires_at: expiryOf(attempt),
      },
      { idempotencyKey },
    ),
  );
}

/**
 * A key answers for a day what it answered first, a failure of Stripe's own too (4.1). So it is asked whether there is a
 * session (rule 7); if there is none, another key makes it: what nobody was shown, nobody can pay.
 * @throws the error itself where it says more, or nothing is known yet
 */
async function sessionInSpiteOf(error: unknown, desk: Desk, attempt: Attempt): Promise<Session> {
  const answer = answerBehind(error);
  if (!answer || !(error instanceof ProviderError) || error.outcome !== 'unknown') throw error;
  const session = await found(desk, { ...attempt, reference: null });
  if (session) return session;
  if (!answer.isReplayed) throw error;
  const minutes = Math.floor((desk.now() - attempt.startedAt) / 60_000);
  return newSession(desk, attempt, `open-${attempt.outTradeNo}-${minutes}`);
}

/** These Stripe counts in other units than ISO 4217 ("Currencies" in its documentation). */
const OTHER_UNITS = ['ISK', 'UGX'];

/** @throws ProviderError refused, before anything is sent */
function currencyOf({ amount, currency }: Money): string {
  if (OTHER_UNITS.includes(currency))
    throw new ProviderError('refused', 'unsupported_currency', `stripe: not in ${currency}`);
  if (Number.isSafeInteger(amount) && amount > 0) return currency.toLowerCase();
  throw new ProviderError('refused', 'unsupported_amount', 'stripe: an amount is a whole number of minor units');
}

async function query(desk: Desk, payment: PaymentRef): Promise<PaymentReport> {
  const session = await found(desk, payment);
  return session ? sessionReport(session, desk.now()) : { state: 'unknown' };
}

/** Only what is open can be expired. What else it may be, paid or over, the caller's next query tells. */
async function close(desk: Desk, payment: PaymentRef): Promise<null> {
  const session = await found(desk, payment);
  if (session?.status !== 'open') return null;
  const { wire } = desk;
  await wire
    .ask('close', (stripe) =>
      stripe.checkout.sessions.expire(session.id, {}, { idempotencyKey: `close-${session.id}` }),
    )
    .catch((error: unknown) => {
      const isAboutTheSession = error instanceof ProviderError && error.outcome === 'refused' && !isAboutUs(error);
      if (!isAboutTheSession) throw error;
    });
  return null;
}

/** These say who we are, and nothing about the payment. */
const isAboutUs = (error: ProviderError): boolean => [401, 403].includes(answerBehind(error)?.status ?? 0);

const WHOLE = { expand: ['payment_intent.latest_charge'] };

/** By its id or, where the answer to opening was lost, among those that were made since. */
async function found({ wire }: Desk, payment: PaymentRef): Promise<Session | undefined> {
  const id = payment.reference ?? (await idOf(wire, payment));
  if (id === undefined) return undefined;
  const session = await wire
    .ask('query', (stripe) => stripe.checkout.sessions.retrieve(id, WHOLE))
    .catch((error: unknown) => {
      if (error instanceof ProviderError && error.code === 'resource_missing') return undefined;
      throw error;
    });
  if (session === undefined || session.client_reference_id === payment.outTradeNo) return session;
  throw new ProviderError('unknown', 'answer_mismatch', 'stripe query: the answer is about another payment');
}

/** Their clock may be behind ours. Seconds. */
const CLOCK_MARGIN = 300;
const MOST_SESSIONS = 1_000;

async function idOf(wire: StripeWire, { outTradeNo, startedAt }: PaymentRef): Promise<string | undefined> {
  const since = { created: { gte: Math.floor(startedAt / 1000) - CLOCK_MARGIN }, limit: 100 };
  const sessions = await wire.ask('query', (stripe) =>
    stripe.checkout.sessions.list(since).autoPagingToArray({ limit: MOST_SESSIONS }),
  );
  const ours = sessions.find(({ client_reference_id }) => client_reference_id === outTradeNo);
  if (ours || sessions.length < MOST_SESSIONS) return ours?.id;
  throw new ProviderError('unknown', 'too_many', 'stripe query: too many sessions to find one among');
}

async function refund({ wire }: Desk, request: RefundRequest): Promise<RefundReport> {
  currencyOf(request.refund);
  const { outTradeNo, orderId, outRefundNo, tradeNo } = request;
  const made = await wire.ask('refund', (stripe) =>
    stripe.refunds.create(
      {
        payment_intent: tradeNo,
        amount: request.refund.amount,
        metadata: { out_refund_no: outRefundNo, out_trade_no: outTradeNo, order_id: orderId },
      },
      { idempotencyKey: `refund-${outRefundNo}` },
    ),
  );
  return refundReport(request, made);
}

/** Found by the number that it carries: a key is kept for a day only, and a repeated request would pay twice then. */
async function queryRefund({ wire }: Desk, request: RefundRequest): Promise<RefundReport> {
  currencyOf(request.refund);
  const refunds = await wire.ask('queryRefund', (stripe) =>
    stripe.refunds.list({ payment_intent: request.tradeNo, limit: 100 }).autoPagingToArray({ limit: MOST_SESSIONS }),
  );
  const ours = refunds.find(({ metadata }) => metadata?.['out_refund_no'] === request.outRefundNo);
  return ours ? refundReport(request, ours) : { state: 'unknown' };
}

/** Stripe reads nothing but the status. */
function acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement {
  return { status: acknowledgedBy[outcome], headers: {}, body: '' };
}
