import { attentionOf } from '../domain/attention.ts';
import type { OrderEvent, TimelineEvent } from '../domain/events.ts';
import { isTimelineEvent } from '../domain/events.ts';
import { eventId, outRefundNoOf } from '../domain/ids.ts';
import { providerOf } from '../domain/method.ts';
import type { Item, Order, Payment } from '../domain/order.ts';
import { instant, refundStatus, refundView, statusOf, timelineData } from '../domain/view.ts';
import { payoutsOf, settlingTry } from '../domain/refund.ts';
import { heldAmount, paidAmount, refundedAmount } from '../domain/sums.ts';

/** An order as rows: what is written when it is created, and at every change. JSON-ready. */

export const orderColumns = (order: Order) => ({
  status: statusOf(order),
  refund_status: refundStatus(order),
  attention: attentionOf(order).length > 0,
  total: order.total,
  paid: paidAmount(order),
  held: heldAmount(order),
  refunded: refundedAmount(order),
  version: order.version,
});

/** The order without its items. */
export function bookOf(order: Order): Omit<Order, 'items'> {
  const { items, ...book } = order;
  return book;
}

export const itemColumns = (item: Item, position: number) => ({
  position,
  status: item.status,
  arrived: item.arrived,
  withdrawn: item.withdrawn,
  failure_decided: item.failureDecided,
  tracking: item.tracking,
  updated_at: item.updatedAt,
  arrived_at: item.arrivedAt ?? null,
  restarted_at: item.restartedAt ?? null,
  to_dispatch: item.toDispatch,
  arrived_before: item.arrivedBefore,
  sends: item.sends,
});

export const paymentRows = (order: Order) =>
  order.payments.map((payment) => ({
    id: payment.id,
    order_id: order.id,
    merchant_id: order.merchant,
    provider: providerOf(payment.method),
    method: payment.method,
    out_trade_no: payment.outTradeNo,
    status: payment.status,
    amount: payment.amount,
  }));

export const refundRows = (order: Order) =>
  order.refunds.map((refund) => ({
    id: refund.id,
    order_id: order.id,
    merchant_id: order.merchant,
    out_refund_no: refund.source ? outRefundNoOf(refund.id, settlingTry(refund)) : null,
    status: refund.status,
    origin: refund.origin,
    amount: refund.amount,
    body: refundView(refund),
  }));

/** One row for all money that moved at a provider. What was only told of is none beside what a provider says of it. */
export function ledgerRows(order: Order) {
  const attempts = order.payments.map((payment) => ({ payment, provider: providerOf(payment.method) }));
  const common = { order_id: order.id, merchant_id: order.merchant };
  const known = new Set(order.payments.flatMap(knownNumbers));
  const captures = attempts.flatMap(({ payment, provider }) =>
    payment.captures
      .filter(({ amount, tradeNo, unconfirmed }) => amount > 0 && !(unconfirmed && known.has(tradeNo)))
      .map(({ tradeNo, amount, currency, at, unconfirmed = false }) => ({
        ...common,
        type: 'capture' as const,
        reference: tradeNo,
        provider,
        out_trade_no: payment.outTradeNo,
        amount,
        currency,
        at: instant(at),
        confirmed: !unconfirmed,
      })),
  );
  const refunds = order.refunds.flatMap((refund) => {
    const attempt = attempts.find(({ payment }) => payment.id === refund.source?.payment);
    if (!attempt || refund.amount === 0) return [];
    const { amount, currency } = refund;
    return payoutsOf(refund).map(({ tries, settledAt }) => ({
      ...common,
      type: 'refund' as const,
      reference: outRefundNoOf(refund.id, tries),
      provider: attempt.provider,
      out_trade_no: attempt.payment.outTradeNo,
      amount,
      currency,
      at: instant(settledAt),
      confirmed: true,
    }));
  });
  return [...captures, ...refunds];
}

const knownNumbers = ({ captures }: Payment) =>
  captures.filter(({ unconfirmed }) => !unconfirmed).map(({ tradeNo }) => tradeNo);

/** The timeline's entries for events that began after entry number `seq`. */
export function eventRows(order: Order, seq: number, events: readonly OrderEvent[]) {
  return events.filter(isTimelineEvent).map((event: TimelineEvent, index) => ({
    order_id: order.id,
    seq: seq + index + 1,
    id: eventId(order.id, seq + index + 1),
    type: event.type,
    at: instant(event.at),
    actor: event.by,
    data: timelineData(event),
  }));
}
