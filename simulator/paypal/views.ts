import type { Payment, Refund } from '../records.ts';
import { statusAt } from '../records.ts';
import { amountOf } from './money.ts';
import type { Platform } from './platform.ts';
import { orderDetails, refundDetails, timeOf } from './platform.ts';

const link = (href: string, rel: string, method: 'GET' | 'POST' = 'GET'): object => ({ href, rel, method });

/** Where the payer says yes. */
export function approvalUrl({ desk }: Platform, payment: Payment): string {
  return `${desk.origin()}/checkoutnow?token=${orderDetails(payment).orderId}`;
}

function statusOf({ desk }: Platform, payment: Payment): string {
  const { approval, isSourceNamed } = orderDetails(payment);
  if (payment.status === 'paid') return 'COMPLETED';
  if (statusAt(payment, desk.now()) === 'closed') return 'VOIDED';
  if (approval) return 'APPROVED';
  return isSourceNamed ? 'PAYER_ACTION_REQUIRED' : 'CREATED';
}

/** `isFull`: everything, and not only what a link says. */
export function orderObject(platform: Platform, payment: Payment, isFull: boolean): object {
  const { orderId, apiUrl, isSourceNamed } = orderDetails(payment);
  const self = `${apiUrl}/v2/checkout/orders/${orderId}`;
  const brief = {
    id: orderId,
    status: statusOf(platform, payment),
    links: [
      link(self, 'self'),
      link(approvalUrl(platform, payment), isSourceNamed ? 'payer-action' : 'approve'),
      link(`${self}/capture`, 'capture', 'POST'),
    ],
  };
  if (!isFull) return brief;
  return {
    ...brief,
    intent: 'CAPTURE',
    purchase_units: [unitOf(platform, payment)],
    create_time: timeOf(payment.createdAt),
  };
}

function unitOf(platform: Platform, payment: Payment): object {
  const { referenceId, customId, invoiceId } = orderDetails(payment);
  const refunds = platform.desk.books.refundsOf(payment);
  return {
    reference_id: referenceId,
    amount: amountOf(payment.amount, payment.currency),
    payee: payeeOf(platform, payment),
    ...(payment.description !== '' && { description: payment.description }),
    ...(customId !== null && { custom_id: customId }),
    ...(invoiceId !== null && { invoice_id: invoiceId }),
    ...(payment.status === 'paid' && {
      payments: {
        captures: [captureObject(platform, payment)],
        ...(refunds.length > 0 && { refunds: refunds.map((refund) => refundObject(platform, payment, refund)) }),
      },
    }),
  };
}

function payeeOf({ merchants }: Platform, { merchant }: Payment): object {
  return { merchant_id: merchants.get(merchant)?.payeeId };
}

/** Of a paid order. */
export function captureObject(platform: Platform, payment: Payment): object {
  const { orderId, apiUrl, customId, invoiceId } = orderDetails(payment);
  const { tradeNo, paidAmount, paidAt, currency } = payment;
  const refunded = platform.desk.books
    .refundsOf(payment)
    .filter(({ status }) => status === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0);
  const self = `${apiUrl}/v2/payments/captures/${tradeNo}`;
  return {
    id: tradeNo,
    status: refunded === 0 ? 'COMPLETED' : refunded === paidAmount ? 'REFUNDED' : 'PARTIALLY_REFUNDED',
    amount: amountOf(paidAmount ?? 0, currency),
    final_capture: true,
    payee: payeeOf(platform, payment),
    ...(customId !== null && { custom_id: customId }),
    ...(invoiceId !== null && { invoice_id: invoiceId }),
    supplementary_data: { related_ids: { order_id: orderId } },
    create_time: timeOf(paidAt ?? 0),
    update_time: timeOf(paidAt ?? 0),
    links: [
      link(self, 'self'),
      link(`${self}/refund`, 'refund', 'POST'),
      link(`${apiUrl}/v2/checkout/orders/${orderId}`, 'up'),
    ],
  };
}

const REFUND_STATUS = { processing: 'PENDING', succeeded: 'COMPLETED', failed: 'FAILED' } as const;

export function refundObject(platform: Platform, payment: Payment, refund: Refund): object {
  const { apiUrl } = orderDetails(payment);
  const { customId, invoiceId, note } = refundDetails(refund);
  return {
    id: refund.tradeNo,
    status: REFUND_STATUS[refund.status],
    ...(refund.status === 'processing' && { status_details: { reason: 'ECHECK' } }),
    amount: amountOf(refund.amount, refund.currency),
    payer: payeeOf(platform, payment), // Whose money goes back.
    ...(customId !== null && { custom_id: customId }),
    ...(invoiceId !== null && { invoice_id: invoiceId }),
    ...(note !== null && { note_to_payer: note }),
    create_time: timeOf(refund.createdAt),
    update_time: timeOf(refund.settledAt ?? refund.createdAt),
    links: [
      link(`${apiUrl}/v2/payments/refunds/${refund.tradeNo}`, 'self'),
      link(`${apiUrl}/v2/payments/captures/${payment.tradeNo}`, 'up'),
    ],
  };
}
