/**
 * PayPal, Orders v2: the buyer approves, then we capture (providers.md section 5).
 *
 *     payPal(account, realEdge('https://api-m.paypal.com'))
 *
 * There is no close: what is never captured costs nobody anything.
 */
import type { X509Certificate } from 'node:crypto';
import { LIMITS } from '../domain/limits.ts';
import { acknowledgedBy, unsupportedMethod } from './adapting.ts';
import type { Edge } from './http.ts';
import { parseJson } from './http.ts';
import { trustedCertificates, verifyEvent } from './paypal-events.ts';
import { amountFor } from './paypal-money.ts';
import { noticeIn, openedOrder, orderAnswered, refundAnswered, refundInOrder } from './paypal-reports.ts';
import { payPalStatement } from './paypal-statement.ts';
import { payPalWire, type PayPalAccount, type PayPalWire } from './paypal-wire.ts';
import {
  NoticeRejected,
  isRefusal,
  ProviderError,
  type Acknowledgement,
  type Attempt,
  type Notice,
  type Opened,
  type PaymentProvider,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { withinBytes } from './text.ts';

export type { PayPalAccount } from './paypal-wire.ts';

type Desk = { account: PayPalAccount; wire: PayPalWire; edge: Edge; trusted: readonly X509Certificate[] };

/** @throws Error if the account's certificates can't be read; names the field */
export function payPal(account: PayPalAccount, edge: Edge): PaymentProvider {
  const trusted = trustedCertificates(account.trustedCertificates);
  const desk: Desk = { account, wire: payPalWire(account, edge), edge, trusted };
  return {
    name: 'paypal',
    open: (attempt) => open(desk, attempt),
    query: (payment) => query(desk, payment),
    capture: (payment) => capture(desk, payment),
    close: () => Promise.resolve(null),
    refund: (request) => refund(desk, request),
    queryRefund: (request) => queryRefund(desk, request),
    statement: (day) => payPalStatement(desk.wire, day),
    readNotice: (notice) => readNotice(desk, notice),
    acknowledge,
    isOurs: ({ merchantNo }) => merchantNo === account.merchantId,
  };
}

/** A repeated opening has the same PayPal-Request-Id, and is the same order. */
async function open({ wire }: Desk, attempt: Attempt): Promise<Opened> {
  if (attempt.method !== 'paypal.checkout') throw unsupportedMethod(attempt.method);
  const description = withinBytes(attempt.description, 127);
  const answer = await wire.post('open', '/v2/checkout/orders', attempt.outTradeNo, {
    intent: 'CAPTURE',
    purchase_units: [
      {
        reference_id: attempt.orderId,
        custom_id: attempt.outTradeNo,
        ...(description && { description }),
        amount: amountFor(attempt.money),
      },
    ],
    payment_source: {
      paypal: {
        experience_context: {
          return_url: attempt.returnUrl,
          cancel_url: attempt.returnUrl,
          user_action: 'PAY_NOW',
          shipping_preference: 'NO_SHIPPING',
          payment_method_preference: 'IMMEDIATE_PAYMENT_REQUIRED',
        },
      },
    },
  });
  const { reference, url } = openedOrder(attempt.outTradeNo, answer);
  return { action: { type: 'redirect', url }, reference };
}

const pathOf = (reference: string): string => `/v2/checkout/orders/${encodeURIComponent(reference)}`;

async function query({ account, wire, edge }: Desk, payment: PaymentRef): Promise<PaymentReport> {
  // Only its own id finds an order; one whose id we never learnt nobody can capture.
  if (payment.reference === null) return { state: 'unknown' };
  try {
    const answer = await wire.get('query', pathOf(payment.reference));
    return orderAnswered(account.merchantId, payment, answer, edge.now());
  } catch (error) {
    if (isRefusal(error, GONE)) return { state: 'closed' }; // It lapsed.
    throw error;
  }
}

const GONE = ['INVALID_RESOURCE_ID', 'RESOURCE_NOT_FOUND'];
/** Another way to pay may do it: the buyer approves once more. */
const MAY_YET_BE_PAID = ['INSTRUMENT_DECLINED', 'PAYER_ACTION_REQUIRED'];
const FAILED = [
  'TRANSACTION_REFUSED',
  'PAYER_CANNOT_PAY',
  'PAYER_ACCOUNT_LOCKED_OR_CLOSED',
  'PAYER_ACCOUNT_RESTRICTED',
  'COMPLIANCE_VIOLATION',
  'MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED',
];
/** These say how it stands already, or soon. */
const TO_BE_ASKED = ['ORDER_ALREADY_CAPTURED', 'ORDER_COMPLETION_IN_PROGRESS', 'ORDER_NOT_APPROVED'];

/**
 * An order is captured once, however often it is asked for, so there is no PayPal-Request-Id: with one, a refused card
 * would stay refused after the buyer has chosen another.
 */
async function capture(desk: Desk, payment: PaymentRef): Promise<PaymentReport> {
  const { account, wire, edge } = desk;
  if (payment.reference === null) return { state: 'unknown' };
  try {
    const answer = await wire.post('capture', `${pathOf(payment.reference)}/capture`, null, {});
    return orderAnswered(account.merchantId, payment, answer, edge.now());
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const { code: reason } = error;
    if (TO_BE_ASKED.includes(reason)) return query(desk, payment);
    if (GONE.includes(reason)) return { state: 'closed' };
    if (MAY_YET_BE_PAID.includes(reason)) return { state: 'failed', reason, mayYetBePaid: true };
    if (FAILED.includes(reason)) return { state: 'failed', reason };
    throw error;
  }
}

async function refund({ wire, edge }: Desk, request: RefundRequest): Promise<RefundReport> {
  const note = withinBytes(request.reason, 255);
  const path = `/v2/payments/captures/${encodeURIComponent(request.tradeNo)}/refund`;
  const answer = await wire.post('refund', path, request.outRefundNo, {
    amount: amountFor(request.refund),
    custom_id: request.outRefundNo,
    ...(note && { note_to_payer: note }),
  });
  return refundAnswered(request, answer, edge.now());
}

async function queryRefund({ wire, edge }: Desk, request: RefundRequest): Promise<RefundReport> {
  if (request.reference === null)
    throw new ProviderError('unknown', 'no_reference', 'paypal: a refund is found by its order only');
  try {
    return refundInOrder(request, await wire.get('queryRefund', pathOf(request.reference)), edge.now());
  } catch (error) {
    if (isRefusal(error, GONE)) return { state: 'unknown' };
    throw error;
  }
}

async function readNotice(desk: Desk, notice: { headers: Headers; body: Uint8Array }): Promise<Notice> {
  const { account, edge, trusted } = desk;
  const { headers, body } = notice;
  if (body.byteLength > LIMITS.noticeBytes) throw new NoticeRejected('paypal notice: too large');
  await verifyEvent({ webhookId: account.webhookId, trusted, edge }, headers, body);
  return noticeIn(account.merchantId, parseJson(body), edge.now());
}

/** Any 2xx is a yes; PayPal reads nothing else. */
function acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement {
  return { status: acknowledgedBy[outcome], headers: {}, body: '' };
}
