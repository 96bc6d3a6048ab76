import { attentionOf } from './attention.ts';
import { unreachable } from './brand.ts';
import type { ItemChange, TimelineEvent } from './events.ts';
import type { Item, Order, OrderStatus, Payment, Refund } from './order.ts';
import { isOpen, isUnpaid } from './order.ts';
import { outRefundNoOf } from './ids.ts';
import { settlingTry } from './refund.ts';
import { awaitsReplacement } from './replacement.ts';
import {
  fullyRefunded,
  isOwnRefund,
  itemShares,
  NO_PART,
  paidAmount,
  refundedAmount,
  refundedParts,
  type Part,
} from './sums.ts';

/** RFC 3339, UTC. */
export const instant = (at: number): string => new Date(at).toISOString();
const instantOrNull = (at: number | null): string | null => (at === null ? null : instant(at));

export type RefundStatusOfOrder = 'none' | 'requested' | 'pending' | 'partial' | 'full';

/** The first that fits: contract, `refund_status`. */
export function refundStatus(order: Order): RefundStatusOfOrder {
  const own = order.refunds.filter(isOwnRefund);
  if (fullyRefunded(order)) return 'full';
  if (
    own.some(
      (r) => r.status === 'approved' || r.status === 'processing' || r.retryAt !== null || awaitsReplacement(order, r),
    )
  )
    return 'pending';
  if (own.some(({ status }) => status === 'requested')) return 'requested';
  return refundedAmount(order) > 0 ? 'partial' : 'none';
}

/** The status of the contract: inner states don't leak. */
export function statusOf(order: Order): 'paying' | OrderStatus {
  const paying = isUnpaid(order) && order.payments.some(({ status }) => status === 'processing');
  return paying ? 'paying' : order.status;
}
export type PublicStatus = ReturnType<typeof statusOf>;

/** The order as the contract shows it, without what only the database holds (names, addresses, links). */
export function view(order: Order) {
  const refunded = refundedOfItems(order);
  return {
    id: order.id,
    currency: order.currency,
    status: statusOf(order),
    cancel_reason: order.cancelReason,
    refund_status: refundStatus(order),
    amounts: amountsOf(order),
    items: order.items.map((item, index) => itemView(item, refunded[index]!)),
    payments: order.payments.map(paymentView),
    refunds: order.refunds.map(refundView),
    review: order.review,
    attention: attentionOf(order).map(({ code, since }) => ({ code, since: instant(since) })),
    expires_at: instant(order.expiresAt),
    created_at: instant(order.createdAt),
    paid_at: instantOrNull(order.paidAt),
    received_at: instantOrNull(order.receivedAt),
    completed_at: instantOrNull(order.completedAt),
    version: order.version,
  };
}
export type OrderView = ReturnType<typeof view>;

/** What a notification about an event holds: the order as it is then; of a delivery, only the items that changed. */
export function viewAfter(order: Order, event: TimelineEvent): OrderView {
  const whole = view(order);
  if (event.type !== 'item.delivery_updated') return whole;
  const changed = new Set(event.items.map(({ item }) => item));
  return { ...whole, items: whole.items.filter(({ id }) => changed.has(id)) };
}

const amountsOf = (order: Order) => ({
  items: order.total + order.discount - order.deliveryFee,
  discount: order.discount,
  delivery_fee: order.deliveryFee,
  total: order.total,
  paid: paidAmount(order),
  refunded: refundedAmount(order),
});

/** What of each item has gone back: by refunds that name it, or all of it where the order is refunded in full. */
function refundedOfItems(order: Order): Part[] {
  if (fullyRefunded(order)) {
    const shares = itemShares(order);
    return order.items.map(({ quantity }, index) => ({ quantity, amount: shares[index]! }));
  }
  const parts = refundedParts(order);
  return order.items.map(({ id }) => parts.get(id) ?? NO_PART);
}

const itemView = (item: Item, refunded: Part) => ({
  id: item.id,
  quantity: item.quantity,
  amount: item.amount,
  fulfilment: item.fulfilment,
  delivery: {
    status: item.status,
    quantity_delivered: item.arrived,
    tracking: item.tracking,
    updated_at: instantOrNull(item.updatedAt),
  },
  refunded: { quantity: refunded.quantity, amount: refunded.amount },
});

export const paymentView = (payment: Payment) => ({
  id: payment.id,
  method: payment.method,
  out_trade_no: payment.outTradeNo,
  provider_trade_no: (payment.captures.find(({ use }) => use === 'order') ?? payment.captures.at(-1))?.tradeNo ?? null,
  amount: payment.amount,
  status: payment.status,
  failure: payment.failure,
  expires_at: instant(payment.expiresAt),
  paid_at: instantOrNull(payment.paidAt),
  action: isOpen(payment) ? payment.action : null,
});

export const refundView = (refund: Refund) => ({
  id: refund.id,
  amount: refund.amount,
  items: refund.items?.map(({ item, quantity, amount }) => ({ item_id: item, quantity, amount })) ?? null,
  reason: refund.reason,
  origin: refund.origin,
  status: refund.status,
  reviewer: refund.reviewer,
  note: refund.note,
  out_refund_no: refund.source ? outRefundNoOf(refund.id, settlingTry(refund)) : null,
  failure: refund.failure,
  created_at: instant(refund.createdAt),
  reviewed_at: instantOrNull(refund.reviewedAt),
  settled_at: instantOrNull(refund.settledAt),
});

/** What the timeline tells beside type, time and actor. Amounts in minor units. */
export function timelineData(event: TimelineEvent): Record<string, unknown> {
  switch (event.type) {
    case 'order.created':
    case 'order.confirmed':
    case 'order.processing':
    case 'order.completed':
    case 'order.expired':
    case 'order.received':
      return {};
    case 'order.paid':
      return { payment_id: event.payment, paid_at: instant(event.paidAt), note: event.note ?? null };
    case 'order.cancelled':
      return { reason: event.reason, detail: event.detail };
    case 'order.reviewed':
      return { rating: event.rating, comment: event.comment };
    case 'payment.opened':
      return { payment_id: event.payment, method: event.method };
    case 'payment.processing':
    case 'payment.closed':
      return { payment_id: event.payment };
    case 'payment.failed':
      return { payment_id: event.payment, failure: event.failure };
    case 'payment.disputed': {
      const { amount, currency, tradeNo } = event.capture;
      return { payment_id: event.payment, amount, currency, provider_trade_no: tradeNo };
    }
    case 'item.delivery_updated':
      return { items: event.items.map(changeView), detail: event.detail };
    case 'refund.requested': {
      const { id, amount, currency, origin, source } = event.refund;
      return { refund_id: id, amount, currency, origin, payment_id: source?.payment ?? null };
    }
    case 'refund.reviewed':
      return {
        refund_id: event.refund,
        decision: event.decision,
        reviewer: event.reviewer,
        note: event.note,
        ignored: 'ignored' in event ? event.ignored : null,
      };
    case 'refund.succeeded':
      return { refund_id: event.refund, settled_at: instant(event.settledAt) };
    case 'refund.failed':
      return { refund_id: event.refund, failure: event.failure };
    case 'refund.overdue':
      return { refund_id: event.refund };
    default:
      return unreachable(event);
  }
}
const changeView = ({ item, status, arrived, tracking }: ItemChange) => ({
  item_id: item,
  status,
  quantity_delivered: arrived,
  tracking,
});
