import { z } from 'zod';
import type { Payment } from '../records.ts';
import { recordId, statusAt } from '../records.ts';
import { checked, integer, list, metadata } from './form.ts';
import { sessionEvent } from './events.ts';
import type { Call, Platform, SessionDetails } from './platform.ts';
import { newId, seconds, sessionDetails } from './platform.ts';
import { missing, Refusal } from './refusal.ts';
import { intentObject, listObject, sessionObject } from './views.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LARGEST_AMOUNT = 99_999_999;
/** What half a US dollar comes to, for some currencies. */
const SMALLEST_AMOUNT: Record<string, number> = { usd: 50, eur: 50, gbp: 30, hkd: 400, jpy: 50 };

const url = z
  .string()
  .max(5000)
  .regex(/^https?:\/\//, 'not a valid URL');
const expand = list(z.enum(['payment_intent', 'payment_intent.latest_charge'])).optional();

const SessionFields = z.strictObject({
  mode: z.literal('payment'),
  line_items: list(
    z.strictObject({
      quantity: integer.refine((value) => value > 0, 'must be at least 1'),
      price_data: z.strictObject({
        currency: z.string().regex(/^[a-z]{3}$/i),
        unit_amount: integer.refine((value) => value >= 0, 'must be at least 0'),
        product_data: z.strictObject({ name: z.string().min(1), description: z.string().min(1).optional() }),
      }),
    }),
  ).refine((items) => items.length > 0 && items.length <= 100, 'between 1 and 100'),
  success_url: url,
  cancel_url: url.optional(),
  client_reference_id: z.string().min(1).max(200).optional(),
  customer_email: z.email().optional(),
  metadata: metadata.optional(),
  payment_intent_data: z
    .strictObject({ metadata: metadata.optional(), description: z.string().max(1000).optional() })
    .optional(),
  expires_at: integer.optional(),
  expand,
});

type Wish = z.infer<typeof SessionFields>;

/** POST /v1/checkout/sessions. @returns the payment to be written, and the answer */
export function createSession({ desk }: Platform, { merchant, params }: Call): { payment: Payment; answer: object } {
  const wish = checked(SessionFields, params);
  const now = desk.now();
  const { amount, currency, description } = totalOf(wish);
  const details: SessionDetails = {
    session: newId('cs_test'),
    code: newId('c').slice(2),
    successUrl: wish.success_url,
    cancelUrl: wish.cancel_url ?? null,
    customerEmail: wish.customer_email ?? null,
    metadata: wish.metadata ?? {},
    intentMetadata: wish.payment_intent_data?.metadata ?? {},
    clientReferenceId: wish.client_reference_id ?? null,
    intent: null,
    charge: null,
    isDeclined: false,
    kept: null,
  };
  const payment: Payment = {
    id: recordId('stripe', merchant.stripeAccount, details.session),
    provider: 'stripe',
    merchant: merchant.stripeAccount,
    outTradeNo: details.clientReferenceId ?? details.session,
    order: details.metadata['order_id'] ?? null, // The product hands its order's id through here.
    description,
    amount,
    currency,
    status: 'pending',
    tradeNo: null,
    paidAmount: null,
    paidAt: null,
    createdAt: now,
    expiresAt: expiryOf(wish, now),
    aliases: [details.session, details.code],
    details,
  };
  return { payment, answer: sessionObject(desk, payment, wish.expand) };
}

function totalOf({ line_items: items }: Wish): { amount: number; currency: string; description: string } {
  const currencies = new Set(items.map(({ price_data }) => price_data.currency.toLowerCase()));
  const [currency = ''] = currencies;
  if (currencies.size > 1)
    throw new Refusal(400, 'All line items must have the same currency.', { param: 'line_items' });
  const amount = items.reduce((sum, { quantity, price_data }) => sum + quantity * price_data.unit_amount, 0);
  if (amount > LARGEST_AMOUNT)
    throw new Refusal(400, 'Amount must be no more than 999,999.99', { code: 'amount_too_large' });
  if (amount < (SMALLEST_AMOUNT[currency] ?? 1))
    throw new Refusal(400, 'The total amount due is below the minimum.', { code: 'amount_too_small' });
  const description = items.map(({ price_data }) => price_data.product_data.name).join(', ');
  return { amount, currency: currency.toUpperCase(), description };
}

function expiryOf({ expires_at: wanted }: Wish, now: number): number {
  if (wanted === undefined) return now + DAY_MS;
  const isTooNear = wanted * 1000 < now + 30 * MINUTE_MS - 1000;
  if (isTooNear || wanted > seconds(now + DAY_MS)) {
    const message =
      'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.';
    throw new Refusal(400, message, { param: 'expires_at' });
  }
  return wanted * 1000;
}

/** The account's own session. */
function ownSession({ desk }: Platform, { merchant, path }: Call): Payment {
  const id = path['id'] ?? '';
  const payment = desk.books.paymentByAlias('stripe', id);
  if (payment?.merchant === merchant.stripeAccount && sessionDetails(payment).session === id) return payment;
  throw missing('checkout.session', id);
}

/** GET /v1/checkout/sessions/{id} */
export function readSession(platform: Platform, call: Call): object {
  const { expand: wanted } = checked(z.strictObject({ expand }), call.params);
  return sessionObject(platform.desk, ownSession(platform, call), wanted);
}

const ListFields = z.strictObject({
  limit: integer.refine((value) => value >= 1 && value <= 100, 'between 1 and 100').optional(),
  starting_after: z.string().optional(),
  created: z.strictObject({ gte: integer.optional(), lte: integer.optional() }).optional(),
});

/** GET /v1/checkout/sessions: newest first. */
export function listSessions({ desk }: Platform, { merchant, params }: Call): object {
  const { limit = 10, starting_after: after, created = {} } = checked(ListFields, params);
  const { gte = 0, lte = Infinity } = created;
  const all = desk.books
    .payments()
    .filter(({ provider, merchant: owner }) => provider === 'stripe' && owner === merchant.stripeAccount)
    .filter(({ createdAt }) => seconds(createdAt) >= gte && seconds(createdAt) <= lte)
    .toReversed();
  const from = after === undefined ? 0 : all.findIndex((payment) => sessionDetails(payment).session === after) + 1;
  const data = all.slice(from, from + limit).map((payment) => sessionObject(desk, payment));
  return listObject('/v1/checkout/sessions', data, from + limit < all.length);
}

/** POST /v1/checkout/sessions/{id}/expire: only while it is open. */
export function expireSession(platform: Platform, call: Call): object {
  checked(z.strictObject({ expand }), call.params);
  const { desk } = platform;
  const payment = ownSession(platform, call);
  const status = statusAt(payment, desk.now());
  if (status === 'paid' || status === 'closed') {
    const message = 'Only Checkout Sessions with a status in ["open"] can be expired.';
    throw new Refusal(400, message, { kept: true });
  }
  const expired: Payment = { ...payment, status: 'closed' };
  desk.announce({ payment: expired }, sessionEvent(platform, expired, 'checkout.session.expired'));
  return sessionObject(desk, expired);
}

/** GET /v1/payment_intents/{id} */
export function readIntent({ desk }: Platform, { merchant, path, params }: Call): object {
  const fields = z.strictObject({ expand: list(z.literal('latest_charge')).optional() });
  const { expand: wanted } = checked(fields, params);
  const id = path['id'] ?? '';
  const payment = desk.books.paymentByAlias('stripe', id);
  if (payment?.merchant !== merchant.stripeAccount || sessionDetails(payment).intent !== id)
    throw missing('payment_intent', id, 'intent');
  return intentObject(desk, payment, wanted);
}
