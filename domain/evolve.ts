import { unreachable } from './brand.ts';
import type { ItemChange, OrderEvent, Withdrawal } from './events.ts';
import { isTimelineEvent } from './events.ts';
import type { PaymentId, RefundId } from './ids.ts';
import { outTradeNoOf } from './ids.ts';
import type { Capture, Item, Order, Payment, Refund } from './order.ts';
import { fullyRefunded, paymentIsReturned, refundedUnits } from './sums.ts';

/** The order after an event. Total: every event has its place, none is refused. */
export function evolve(order: Order, event: OrderEvent): Order {
  return { ...after(order, event), version: order.version + 1, seq: order.seq + (isTimelineEvent(event) ? 1 : 0) };
}

function after(order: Order, event: OrderEvent): Order {
  switch (event.type) {
    case 'order.created':
    case 'refund.overdue':
    case 'duty_delayed':
    case 'delivered_after_refund':
      return remembered(order, event);
    case 'order.confirmed':
      return { ...order, status: 'pending_payment', confirmed: true };
    case 'order.paid':
      return paid(order, event);
    case 'order.processing':
      return { ...order, status: 'processing' };
    case 'order.completed':
      return { ...order, status: 'completed', completedAt: event.at, endedAt: event.at };
    case 'order.cancelled':
      return { ...order, status: 'cancelled', cancelReason: event.reason, ending: null, endedAt: event.at };
    case 'order.expired':
      return { ...order, status: 'cancelled', cancelReason: 'expired', ending: null, endedAt: event.at };
    case 'order.received':
      return { ...order, receivedAt: event.at };
    case 'order.reviewed':
      return { ...order, review: { rating: event.rating, comment: event.comment } };
    case 'closing_began':
      return { ...order, ending: event.ending };
    case 'item.delivery_updated':
      return { ...order, items: order.items.map((item) => delivered(item, event.items, event.at)) };
    case 'attempt_started':
    case 'payment.opened':
    case 'payment.processing':
    case 'payment.failed':
    case 'payment.closed':
    case 'payment.disputed':
    case 'attempt_closing':
    case 'money_captured':
    case 'foreign_notice':
      return afterPaymentEvent(order, event);
    case 'refund.requested':
    case 'refund.reviewed':
    case 'refund.succeeded':
    case 'refund.failed':
    case 'refund_processing':
    case 'refund_tried_again':
      return afterRefundEvent(order, event);
    default:
      return unreachable(event);
  }
}

/** An expiry is forgotten; a cancellation that it came too late for becomes an application for a refund. */
const paid = (order: Order, event: Extract<OrderEvent, { type: 'order.paid' }>): Order => ({
  ...order,
  status: 'paid',
  paidAt: event.paidAt,
  paidBy: event.payment,
  ending: order.ending?.because === 'expired' ? null : order.ending,
});

function remembered(
  order: Order,
  event: Extract<OrderEvent, { type: 'order.created' | 'refund.overdue' | 'duty_delayed' | 'delivered_after_refund' }>,
): Order {
  switch (event.type) {
    case 'order.created':
      return order;
    case 'refund.overdue':
      return changeRefund(order, event.refund, () => ({ overdue: true }));
    case 'duty_delayed':
      return { ...order, delayed: [...order.delayed, event.duty] };
    case 'delivered_after_refund':
      return { ...order, deliveredAfterRefund: order.deliveredAfterRefund ?? { since: event.at } };
    default:
      return unreachable(event);
  }
}

type PaymentEvent = Extract<
  OrderEvent,
  { type: `payment.${string}` | `attempt_${string}` | 'money_captured' | 'foreign_notice' }
>;

function afterPaymentEvent(order: Order, event: PaymentEvent): Order {
  switch (event.type) {
    case 'attempt_started':
      return { ...order, payments: [...order.payments, newAttempt(order, event)] };
    case 'payment.opened':
      return changePayment(order, event.payment, () => ({ action: event.action }));
    case 'payment.processing':
      return changePayment(order, event.payment, () => ({ status: 'processing' }));
    case 'payment.failed':
      return changePayment(order, event.payment, () => ({
        status: 'failed',
        failure: event.failure,
        closingSince: null,
      }));
    case 'payment.closed':
      return changePayment(order, event.payment, () => ({ status: 'closed', closingSince: null }));
    case 'payment.disputed':
      return changePayment(order, event.payment, (p) => ({
        status: 'disputed',
        closingSince: null,
        captures: withCapture(p, event.capture),
      }));
    case 'attempt_closing':
      return changePayment(order, event.payment, () => ({ closingSince: event.at }));
    case 'money_captured':
      return changePayment(order, event.payment, (p) => ({
        status: 'succeeded',
        closingSince: null,
        captures: withCapture(p, event.capture),
        paidAt: p.paidAt ?? event.capture.at,
      }));
    case 'foreign_notice':
      return changePayment(order, event.payment, (p) => ({ foreignNoticeAt: p.foreignNoticeAt ?? event.at }));
    default:
      return unreachable(event);
  }
}

function newAttempt(order: Order, event: Extract<OrderEvent, { type: 'attempt_started' }>): Payment {
  return {
    id: event.payment,
    method: event.method,
    outTradeNo: outTradeNoOf(event.payment),
    amount: order.total,
    status: 'pending',
    startedAt: event.at,
    expiresAt: event.expiresAt,
    action: null,
    failure: null,
    closingSince: null,
    captures: [],
    paidAt: null,
    foreignNoticeAt: null,
  };
}

/** The provider's last word on one trade replaces what it said before. */
const withCapture = ({ captures }: Payment, capture: Capture): Capture[] => [
  ...captures.filter(({ tradeNo }) => tradeNo !== capture.tradeNo),
  capture,
];

type RefundEvent = Extract<
  OrderEvent,
  { type: 'refund.requested' | 'refund.reviewed' | 'refund.succeeded' | 'refund.failed' | `refund_${string}` }
>;

function afterRefundEvent(order: Order, event: RefundEvent): Order {
  switch (event.type) {
    case 'refund.requested':
      return requested(order, event.refund);
    case 'refund.reviewed':
      return 'ignored' in event ? order : reviewed(order, event);
    case 'refund_processing':
      return changeRefund(order, event.refund, () => ({ status: 'processing', processingSince: event.at }));
    case 'refund.succeeded':
      return settled(
        changeRefund(order, event.refund, () => ({ status: 'succeeded', settledAt: event.settledAt, failure: null })),
        event.at,
      );
    case 'refund.failed':
      return changeRefund(order, event.refund, ({ tries }) => ({
        status: 'failed',
        failure: event.failure,
        settledAt: null,
        tries: tries + 1,
        retryAt: event.retryAt,
      }));
    case 'refund_tried_again':
      return changeRefund(order, event.refund, () => ({ status: 'approved', retryAt: null, processingSince: null }));
    default:
      return unreachable(event);
  }
}

/** A new application of a person takes the place of what failed before; a pending cancellation has become one. */
function requested(order: Order, refund: Refund): Order {
  const refunds = order.refunds.map((r) =>
    r.status === 'failed' && r.retryAt === null && isOwn(refund) ? { ...r, replaced: true } : r,
  );
  return { ...order, refunds: [...refunds, refund], ending: refund.origin === 'cancellation' ? null : order.ending };
}
const isOwn = ({ origin }: Refund): boolean => !origin.endsWith('_payment');

function reviewed(
  order: Order,
  event: Extract<OrderEvent, { type: 'refund.reviewed' }> & { withdrawn: readonly Withdrawal[] },
): Order {
  const approved = event.decision === 'approve';
  const next = changeRefund(order, event.refund, () => ({
    status: approved ? 'approved' : 'rejected',
    reviewer: event.reviewer,
    note: event.note,
    reviewedAt: event.at,
    owedSince: approved ? event.at : null,
  }));
  if (approved) return { ...next, items: next.items.map((item) => withdraw(item, event.withdrawn)) };
  const refund = next.refunds.find(({ id }) => id === event.refund);
  const named = (item: Item) => refund?.all || refund?.items?.some((i) => i.item === item.id);
  const failed = ({ status }: Item) => status === 'failed' || status === 'timed_out';
  return {
    ...next,
    items: next.items.map((item) => (failed(item) && named(item) ? { ...item, failureDecided: true } : item)),
  };
}

function withdraw(item: Item, withdrawn: readonly Withdrawal[]): Item {
  const named = withdrawn.find((w) => w.item === item.id);
  return named ? { ...item, withdrawn: item.withdrawn + named.quantity } : item;
}

/** The money is back: what never arrived never will, and an item wholly refunded has come to its end. */
function settled(order: Order, at: number): Order {
  const full = fullyRefunded(order);
  const items = order.items.map((item) => {
    const refunded = full ? item.quantity : refundedUnits(order, item.id);
    const withdrawn = Math.max(item.withdrawn, Math.min(refunded, item.quantity - item.arrived));
    if (refunded === item.quantity)
      return item.status === 'refunded' ? item : { ...item, withdrawn, status: 'refunded' as const, updatedAt: at };
    return withdrawn === item.withdrawn ? item : { ...item, withdrawn };
  });
  const payments = order.payments.map((p) => (paymentIsReturned(order, p) ? { ...p, status: 'refunded' as const } : p));
  return { ...order, items: items.map(arrivedInFull), payments };
}

/** Delivered when arrived and withdrawn units make up the whole. */
function arrivedInFull(item: Item): Item {
  const whole = item.arrived > 0 && item.arrived + item.withdrawn === item.quantity;
  return whole && (item.status === 'delivering' || item.status === 'waiting') ? { ...item, status: 'delivered' } : item;
}

function delivered(item: Item, changes: readonly ItemChange[], at: number): Item {
  const change = changes.find((c) => c.item === item.id);
  if (!change) return item;
  return {
    ...item,
    status: change.status,
    arrived: change.arrived,
    tracking: change.tracking ?? item.tracking,
    failureDecided: false,
    updatedAt: at,
  };
}

const changePayment = (order: Order, id: PaymentId, change: (payment: Payment) => Partial<Payment>): Order => ({
  ...order,
  payments: order.payments.map((p) => (p.id === id ? { ...p, ...change(p) } : p)),
});
const changeRefund = (order: Order, id: RefundId, change: (refund: Refund) => Partial<Refund>): Order => ({
  ...order,
  refunds: order.refunds.map((r) => (r.id === id ? { ...r, ...change(r) } : r)),
});
