import type { Desk } from '../provider.ts';
import type { Payment, Refund } from '../records.ts';
import { statusAt } from '../records.ts';
import { CHARGE, INTENT, REFUND, SESSION } from './objects.ts';
import { refundDetails, seconds, sessionDetails } from './platform.ts';

/** A Checkout Session (providers.md 4.3). `expand`: whole objects instead of their ids. */
export function sessionObject(desk: Desk, payment: Payment, expand: readonly string[] = []): object {
  const details = sessionDetails(payment);
  const status = statusAt(payment, desk.now());
  const isOpen = status === 'pending' || status === 'paying';
  const total = payment.paidAmount ?? payment.amount;
  const isWhole = expand.some((path) => path === 'payment_intent' || path.startsWith('payment_intent.'));
  return {
    ...SESSION,
    id: details.session,
    amount_subtotal: total,
    amount_total: total,
    cancel_url: details.cancelUrl,
    client_reference_id: details.clientReferenceId,
    client_secret: null,
    created: seconds(payment.createdAt),
    currency: payment.currency.toLowerCase(),
    customer_email: details.customerEmail,
    expires_at: seconds(payment.expiresAt ?? 0),
    metadata: details.metadata,
    payment_intent: isWhole && details.intent !== null ? intentObject(desk, payment, expand) : details.intent,
    payment_status: status === 'paid' ? 'paid' : 'unpaid',
    status: status === 'paid' ? 'complete' : isOpen ? 'open' : 'expired',
    success_url: details.successUrl,
    url: isOpen ? `${desk.origin()}/stripe/pay/${details.code}` : null,
  };
}

/** The PaymentIntent of a session whose buyer has submitted a card (providers.md 4.2). */
export function intentObject(desk: Desk, payment: Payment, expand: readonly string[] = []): object {
  const { intent, charge, intentMetadata, isDeclined } = sessionDetails(payment);
  const isPaid = payment.status === 'paid';
  const isWhole = expand.some((path) => path.endsWith('latest_charge'));
  return {
    ...INTENT,
    id: intent,
    amount: payment.paidAmount ?? payment.amount,
    amount_received: payment.paidAmount ?? 0,
    client_secret: `${intent}_secret_simulated`,
    created: seconds(payment.createdAt),
    currency: payment.currency.toLowerCase(),
    last_payment_error: isDeclined ? DECLINED : null,
    latest_charge: charge !== null && isWhole ? chargeObject(desk, payment) : charge,
    metadata: intentMetadata,
    status: isPaid ? 'succeeded' : payment.status === 'paying' ? 'requires_action' : 'requires_payment_method',
  };
}

const DECLINED = {
  type: 'card_error',
  code: 'card_declined',
  decline_code: 'generic_decline',
  message: 'Your card was declined.',
};

function chargeObject({ books }: Desk, payment: Payment): object {
  const { charge, intent, intentMetadata } = sessionDetails(payment);
  const amount = payment.paidAmount ?? payment.amount;
  const refunded = books.refundsOf(payment).filter(({ status }) => status !== 'failed');
  const amountRefunded = refunded.reduce((sum, refund) => sum + refund.amount, 0);
  return {
    ...CHARGE,
    id: charge,
    amount,
    amount_captured: amount,
    amount_refunded: amountRefunded,
    captured: true,
    created: seconds(payment.paidAt ?? payment.createdAt),
    currency: payment.currency.toLowerCase(),
    metadata: intentMetadata,
    paid: true,
    payment_intent: intent,
    refunded: amountRefunded >= amount,
    status: 'succeeded',
  };
}

const REFUND_STATES = { processing: 'pending', succeeded: 'succeeded', failed: 'failed' } as const;

/** providers.md 4.4. */
export function refundObject(refund: Refund): object {
  const { charge, intent, metadata, reason } = refundDetails(refund);
  return {
    ...REFUND,
    id: refund.tradeNo,
    amount: refund.amount,
    charge,
    created: seconds(refund.createdAt),
    currency: refund.currency.toLowerCase(),
    metadata,
    payment_intent: intent,
    reason,
    status: REFUND_STATES[refund.status],
    ...(refund.status === 'failed' && { failure_reason: 'insufficient_funds' }),
  };
}

/** A page of a list, newest first. */
export const listObject = (url: string, data: readonly object[], hasMore: boolean): object => ({
  object: 'list',
  data,
  has_more: hasMore,
  url,
});
