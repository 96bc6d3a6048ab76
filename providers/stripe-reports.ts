/** What Stripe's objects and events mean to us (providers.md 4.2–4.4, 4.6, 9). */
import type Stripe from 'stripe';
import { LIMITS } from '../domain/limits.ts';
import {
  NoticeRejected,
  ProviderError,
  type Notice,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import type { StripeAccount, StripeWire } from './stripe-wire.ts';

/** A session as it is asked for: with its PaymentIntent and that one's charge. */
export type Session = Stripe.Checkout.Session;
type Intent = Stripe.PaymentIntent;

const money = (amount: number, currency: string) => ({ amount, currency: currency.toUpperCase() });
const malformed = (flaw: string): ProviderError =>
  new ProviderError('unknown', 'malformed_answer', `stripe: malformed answer: ${flaw}`);

/** Section 4.3. @throws ProviderError unknown, for what can't be read */
export function sessionReport(
  { status, payment_status, payment_intent: intent }: Session,
  nowMs: number,
): PaymentReport {
  if (typeof intent === 'string') throw malformed('payment_intent is not expanded');
  if (intent?.status === 'succeeded') return paid(intent, nowMs);
  switch (status) {
    case 'expired':
      return { state: 'closed' };
    case 'open':
      return intent ? attempted(intent) : { state: 'pending' };
    case 'complete':
      if (payment_status === 'paid') throw malformed('paid without a PaymentIntent that is');
      // A delayed method: the money is under way, or has failed for good.
      return intent?.status === 'requires_payment_method'
        ? { state: 'failed', reason: declineOf(intent) }
        : { state: 'processing' };
    case null:
    default:
      throw malformed('unheard-of status');
  }
}

/** A declined card is not the end: another may do it while the session is open (4.2). */
function attempted(intent: Intent): PaymentReport {
  if (intent.status === 'processing' || intent.status === 'requires_action') return { state: 'processing' };
  if (intent.status !== 'requires_payment_method' || !intent.last_payment_error) return { state: 'pending' };
  return { state: 'failed', reason: declineOf(intent), mayYetBePaid: true };
}

const declineOf = ({ last_payment_error: error }: Intent): string =>
  error?.decline_code ?? error?.code ?? 'payment_failed';

function paid(intent: Intent, nowMs: number): PaymentReport {
  const charge = intent.latest_charge;
  const paidAt = charge && typeof charge === 'object' ? charge.created * 1000 : nowMs;
  return { state: 'paid', tradeNo: intent.id, money: money(intent.amount_received, intent.currency), paidAt };
}

/** Section 4.4. @throws ProviderError unknown, for an answer about another refund */
export function refundReport(request: RefundRequest, refund: Stripe.Refund): RefundReport {
  const { amount, currency } = money(refund.amount, refund.currency);
  if (amount === request.refund.amount && currency === request.refund.currency) return refundOf(refund);
  throw new ProviderError('unknown', 'refund_mismatch', 'stripe refund: the answer is about another refund');
}

function refundOf({ status, failure_reason, created }: Stripe.Refund): RefundReport {
  switch (status) {
    case 'succeeded':
      return { state: 'succeeded', settledAt: created * 1000 };
    case 'failed':
    case 'canceled':
      return { state: 'failed', reason: failure_reason ?? status };
    case null:
    default:
      return { state: 'processing' }; // pending, requires_action
  }
}

const TOLERANCE_SECONDS = 300;

/** Section 4.6. @throws NoticeRejected; ProviderError refused `unhandled_notice` for other kinds of event */
export function noticeIn(
  { stripe }: StripeWire,
  account: StripeAccount,
  { headers, body }: { headers: Headers; body: Uint8Array },
  nowMs: number,
): Notice {
  if (body.byteLength > LIMITS.noticeBytes) throw new NoticeRejected('stripe notice: too large');
  const event = verified(stripe, account, { header: headers.get('stripe-signature') ?? '', body, nowMs });
  const subject = isTold(event) ? subjectOf(event) : undefined;
  if (!subject) throw new ProviderError('refused', 'unhandled_notice', 'stripe: a genuine event of another kind');
  return { id: event.id, account: accountOf(account, event.livemode), ...subject };
}

/** Events don't say whose they are, for only one account has the secret; but a test is no live payment. */
const accountOf = ({ accountId }: StripeAccount, isLive: boolean): Notice['account'] => ({
  merchantNo: accountId,
  appId: isLive ? 'live' : 'test',
});

export const isOurs = ({ accountId, secretKey }: StripeAccount, { merchantNo, appId }: Notice['account']): boolean =>
  merchantNo === accountId && appId === (/^.k_live_/.test(secretKey) ? 'live' : 'test');

type Signed = { header: string; body: Uint8Array; nowMs: number };

/** With our secret or, while it is rolled, the one before. The library compares in constant time. */
function verified(stripe: Stripe, account: StripeAccount, { header, body, nowMs }: Signed): Stripe.Event {
  const at = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/.exec(header)?.[1] ?? Number.NaN);
  // The library knows no time that is yet to come.
  if (!(at <= nowMs / 1000 + TOLERANCE_SECONDS)) throw new NoticeRejected('stripe notice: not signed just now');
  const { webhookSecret, webhookSecretBefore = webhookSecret } = account;
  for (const secret of [webhookSecret, webhookSecretBefore]) {
    try {
      return stripe.webhooks.constructEvent(Buffer.from(body), header, secret, TOLERANCE_SECONDS, undefined, nowMs);
    } catch {
      continue;
    }
  }
  throw new NoticeRejected('stripe notice: signature does not hold, or is too old');
}

type About =
  | { about: 'payment'; outTradeNo: string; payment: PaymentReport }
  | { about: 'refund'; outTradeNo: string | null; outRefundNo: string; refund: RefundReport };

const TOLD = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'payment_intent.succeeded',
  'payment_intent.processing',
  'payment_intent.payment_failed',
  'refund.created',
  'refund.updated',
  'refund.failed',
] as const;
type Told = Extract<Stripe.Event, { type: (typeof TOLD)[number] }>;
const isTold = (event: Stripe.Event): event is Told => (TOLD as readonly string[]).includes(event.type);

function subjectOf(event: Told): About | undefined {
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
    case 'checkout.session.async_payment_failed':
    case 'checkout.session.expired':
      return about(event.data.object.client_reference_id, sessionTold(event.type, event.data.object, event.created));
    case 'payment_intent.succeeded':
      return about(numberOf(event.data.object), paid(event.data.object, event.created * 1000));
    case 'payment_intent.processing':
      return about(numberOf(event.data.object), { state: 'processing' });
    case 'payment_intent.payment_failed':
      return about(numberOf(event.data.object), {
        state: 'failed',
        reason: declineOf(event.data.object),
        mayYetBePaid: true,
      });
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
      return refundTold(event.data.object);
  }
}

const numberOf = ({ metadata }: Intent): string | undefined => metadata['out_trade_no'];

/** One that carries no number of ours is somebody else's business. */
const about = (outTradeNo: string | null | undefined, payment: PaymentReport): About | undefined =>
  outTradeNo ? { about: 'payment', outTradeNo, payment } : undefined;

function sessionTold(type: string, session: Session, created: number): PaymentReport {
  if (type === 'checkout.session.expired') return { state: 'closed' };
  if (type === 'checkout.session.async_payment_failed') return { state: 'failed', reason: 'async_payment_failed' };
  const { payment_status, payment_intent: intent, amount_total, currency } = session;
  if (payment_status !== 'paid') return { state: 'processing' };
  const tradeNo = typeof intent === 'string' ? intent : intent?.id;
  if (tradeNo === undefined || amount_total === null || currency === null)
    throw new NoticeRejected('stripe notice: paid, but not what or how much');
  return { state: 'paid', tradeNo, money: money(amount_total, currency), paidAt: created * 1000 };
}

function refundTold(refund: Stripe.Refund): About | undefined {
  const { out_refund_no: outRefundNo, out_trade_no: outTradeNo = null } = refund.metadata ?? {};
  return outRefundNo ? { about: 'refund', outTradeNo, outRefundNo, refund: refundOf(refund) } : undefined;
}
