import { unreachable } from './brand.ts';
import { dutiesOf } from './duties.ts';
import type { ItemChange, OrderEvent } from './events.ts';
import { isTimelineEvent } from './events.ts';
import { afterPaymentEvent } from './evolve-payment.ts';
import { afterRefundEvent } from './evolve-refund.ts';
import type { ItemId } from './ids.ts';
import { hasFailed } from './item.ts';
import type { Item, Order, Redemption } from './order.ts';

/** The order after an event. Total: every event has its place, none is refused. */
export function evolve(order: Order, event: OrderEvent): Order {
  return { ...after(order, event), version: order.version + 1, seq: order.seq + (isTimelineEvent(event) ? 1 : 0) };
}

function after(order: Order, event: OrderEvent): Order {
  switch (event.type) {
    case 'order.created':
      return order;
    case 'order.confirmed':
      return { ...order, status: 'pending_payment', confirmed: true };
    case 'order.paid':
      return paid(order, event);
    case 'order.processing':
      return { ...order, status: 'processing' };
    case 'order.completed':
      return { ...order, status: 'completed', completedAt: event.at, endedAt: event.at };
    case 'order.cancelled':
      return cancelled(order, event.reason, event.at);
    case 'order.expired':
      return cancelled(order, 'expired', event.at);
    case 'order.received':
      return { ...order, receivedAt: event.at };
    case 'order.reviewed':
      return { ...order, review: { rating: event.rating, comment: event.comment } };
    case 'closing_began':
      return { ...order, ending: event.ending };
    case 'item.delivery_updated':
      return delivered(order, event.items, event.at);
    case 'item_sent':
      return sent(order, [event.item], event.at);
    case 'code_redeemed':
      return redeemed(order, event.redemption, event.at);
    case 'delivered_after_refund':
      return { ...order, deliveredAfterRefund: order.deliveredAfterRefund ?? { since: event.at } };
    case 'duty_delayed':
      return delayed(order, event.duty);
    case 'attention_seen':
      return attentionSeen(order);
    case 'attempt_started':
    case 'attempt_taken':
    case 'capture_confirmed':
    case 'payment.opened':
    case 'payment.processing':
    case 'payment.failed':
    case 'payment.closed':
    case 'payment.disputed':
    case 'attempt_closing':
    case 'attempt_asked':
    case 'attempt_approved':
    case 'attempt_approval_ended':
    case 'money_captured':
    case 'foreign_notice':
      return afterPaymentEvent(order, event);
    case 'refund.requested':
    case 'refund.reviewed':
    case 'refund.succeeded':
    case 'refund.failed':
    case 'refund.overdue':
    case 'refund_processing':
    case 'refund_tried_again':
    case 'refund_astray':
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
  dispatchFrom: event.at,
  paidBy: event.payment,
  ending: order.ending?.because === 'expired' ? null : order.ending,
});

/** Final. What an ended free order has not delivered is not delivered any more. */
function cancelled(order: Order, cancelReason: NonNullable<Order['cancelReason']>, at: number): Order {
  const withdrawAll = (item: Item): Item =>
    item.status === 'waiting' ? { ...item, withdrawn: item.quantity - item.arrived } : item;
  const items = order.paidAt === null ? order.items : order.items.map(withdrawAll);
  return { ...order, status: 'cancelled', cancelReason, ending: null, endedAt: at, items };
}

function delivered(order: Order, changes: readonly ItemChange[], at: number): Order {
  const changed = new Map(changes.map((change) => [change.item, change]));
  const items = order.items.map((item): Item => {
    const change = changed.get(item.id);
    if (!change) return item;
    const { status, arrived, toDispatch = false } = change;
    const failureDecided = item.failureDecided && status === item.status;
    const tracking = change.tracking ?? item.tracking;
    // A new dispatch is for what has not arrived by then.
    const arrivedBefore = toDispatch ? item.arrived : item.arrivedBefore;
    const arrivedAt = arrived > item.arrived ? at : (item.arrivedAt ?? null);
    const restartedAt = hasFailed(item) && status === 'delivering' ? at : (item.restartedAt ?? null);
    const times = { updatedAt: at, arrivedAt, restartedAt };
    return { ...item, status, arrived, failureDecided, tracking, ...times, toDispatch, arrivedBefore };
  });
  return { ...order, items };
}

/** Its timer runs from there. */
function sent(order: Order, ids: readonly ItemId[], at: number): Order {
  const gone = new Set(ids);
  const items = order.items.map((item): Item => {
    if (!gone.has(item.id)) return item;
    const updatedAt = item.status === 'delivering' ? at : item.updatedAt;
    return { ...item, sends: item.sends + 1, toDispatch: false, updatedAt };
  });
  return { ...order, items };
}

function redeemed(order: Order, redemption: Redemption, at: number): Order {
  const released = redemption.items.map(({ item }) => item);
  return { ...sent(order, released, at), redemption };
}

/** Only duties that are still owed are remembered. */
function delayed(order: Order, duty: string): Order {
  const owed = new Set(dutiesOf(order).map(({ key }) => key));
  return { ...order, delayed: [...order.delayed.filter((key) => owed.has(key)), duty] };
}

const attentionSeen = (order: Order): Order => ({
  ...order,
  deliveredAfterRefund: null,
  payments: order.payments.map((p) => (p.foreignNoticeAt === null ? p : { ...p, foreignNoticeAt: null })),
  refunds: order.refunds.map((r) => (r.astray ? { ...r, astray: r.astray.map((a) => ({ ...a, isSeen: true })) } : r)),
});
