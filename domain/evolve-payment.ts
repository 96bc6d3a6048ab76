import { unreachable } from './brand.ts';
import type { OrderEvent } from './events.ts';
import type { PaymentId } from './ids.ts';
import { outTradeNoOf } from './ids.ts';
import { methodTerms } from './method.ts';
import type { Capture, Order, Payment, PaymentStatus } from './order.ts';
import { isRightMoney } from './returns.ts';
import { paymentIsReturned } from './sums.ts';

type PaymentEvent = Extract<
  OrderEvent,
  { type: `payment.${string}` | `attempt_${string}` | 'money_captured' | 'capture_confirmed' | 'foreign_notice' }
>;

/** The order after something happened to one of its attempts. */
export function afterPaymentEvent(order: Order, event: PaymentEvent): Order {
  const change = (change: (payment: Payment) => Partial<Payment>) => changePayment(order, event.payment, change);
  switch (event.type) {
    case 'attempt_started':
      return { ...order, payments: [...order.payments, newAttempt(order, event)] };
    case 'attempt_taken':
      return change(() => ({
        method: event.method,
        expiresAt: event.expiresAt,
        waiting: false,
        ...(event.buyer !== undefined && { buyer: event.buyer }),
      }));
    case 'payment.opened':
      return change(() => ({
        action: event.action,
        ...(event.action === null && { withoutAction: true }),
        ...(event.reference !== undefined && { reference: event.reference }),
      }));
    case 'payment.processing':
      return change((payment) => ({ status: 'processing', failure: null, ...unwatched(payment) }));
    case 'payment.failed':
      return change((payment) => afterFailure(payment, event));
    case 'payment.closed':
      return change((payment) => ({
        status: 'closed',
        closingSince: null,
        ...unapproved(payment),
        ...watchedFrom(payment, event),
        ...(methodTerms(payment.method).closing === 'revoke' && { revokedAt: event.at }),
      }));
    case 'attempt_asked':
      return change((payment) => ({ closingSince: null, ...watchedFrom(payment, event) }));
    case 'attempt_approved':
      return change(() => ({ approvedAt: event.at }));
    case 'attempt_approval_ended':
      return change(() => ({ approvedAt: null, status: event.isTaken ? 'processing' : 'pending' }));
    case 'payment.disputed':
      return event.isOnlyTold ? order : change((payment) => withMoney(order, payment, event.capture));
    case 'money_captured':
      return change((payment) => ({
        ...withMoney(order, payment, event.capture),
        ...(event.isRevoked && { revokedAt: event.at }),
      }));
    case 'capture_confirmed':
      return withConfirmed(order, event);
    case 'attempt_closing':
      return change(() => ({ closingSince: event.at }));
    case 'foreign_notice':
      return change(({ foreignNoticeAt }) => ({ foreignNoticeAt: foreignNoticeAt ?? event.at }));
    default:
      return unreachable(event);
  }
}

function newAttempt(order: Order, event: Extract<OrderEvent, { type: 'attempt_started' }>): Payment {
  return {
    id: event.payment,
    method: event.method,
    outTradeNo: event.outTradeNo ?? outTradeNoOf(event.payment),
    ...(event.outTradeNo !== undefined && { waiting: true }),
    ...(event.buyer !== undefined && { buyer: event.buyer }),
    amount: order.total,
    status: 'pending',
    startedAt: event.startedAt ?? event.at,
    expiresAt: event.expiresAt,
    action: null,
    failure: null,
    closingSince: null,
    captures: [],
    paidAt: null,
    foreignNoticeAt: null,
  };
}

/** What may yet be paid goes on being closed, where it is. */
const afterFailure = (
  payment: Payment,
  event: Extract<PaymentEvent, { type: 'payment.failed' }>,
): Partial<Payment> => ({
  status: 'failed',
  failure: event.failure,
  closingSince: event.watchedUntil === undefined ? null : payment.closingSince,
  ...unapproved(payment),
  ...watchedFrom(payment, event),
});

const watchedFrom = (
  payment: Payment,
  { at, watchedUntil = null }: { at: number; watchedUntil?: number | null },
): Pick<Payment, 'watched'> =>
  watchedUntil === null ? unwatched(payment) : { watched: { since: at, until: watchedUntil } };
const unwatched = ({ watched }: Payment): Pick<Payment, 'watched'> => (watched ? { watched: null } : {});
const unapproved = ({ approvedAt }: Payment): Pick<Payment, 'approvedAt'> => (approvedAt ? { approvedAt: null } : {});

/** The provider's last word on one trade replaces what it said before. What has taken money takes no more. */
function withMoney(order: Order, payment: Payment, capture: Capture): Partial<Payment> {
  const captures = [...payment.captures.filter(({ tradeNo }) => tradeNo !== capture.tradeNo), capture];
  const isDisputed = capture.use === 'disputed' || !isOrderMoney(order, capture);
  const paidAt = payment.paidAt ?? (isDisputed ? null : capture.at);
  const status = statusByMoney(order, { ...payment, captures });
  return { captures, status, closingSince: null, paidAt, ...unapproved(payment), ...unwatched(payment) };
}

/** The provider's word stands in the place of the merchant's, also for refunds that were asked for meanwhile. */
function withConfirmed(
  order: Order,
  { payment, told, capture, cameBy = payment }: Extract<PaymentEvent, { type: 'capture_confirmed' }>,
): Order {
  const refunds = order.refunds.map((refund) =>
    refund.source?.payment === payment && refund.source.tradeNo === told
      ? { ...refund, source: { payment: cameBy, tradeNo: capture.tradeNo } }
      : refund,
  );
  if (cameBy !== payment) return afterMoneyMoved(withMoved({ ...order, refunds }, { payment, told, capture, cameBy }));
  const confirmed = changePayment(order, payment, ({ captures }) => ({
    captures: captures.map((one) => (one.tradeNo === told ? capture : one)),
  }));
  return afterMoneyMoved({ ...confirmed, refunds });
}

/** The attempt that it did not come by is as one that has taken nothing. */
function withMoved(
  order: Order,
  { payment, told, capture, cameBy }: { payment: PaymentId; told: string; capture: Capture; cameBy: PaymentId },
): Order {
  const without = changePayment(order, payment, ({ captures }) => ({
    captures: captures.filter(({ tradeNo }) => tradeNo !== told),
    status: 'pending',
    paidAt: null,
  }));
  const moved = changePayment(without, cameBy, (attempt) => withMoney(without, attempt, capture));
  return { ...moved, paidBy: order.paidBy === payment ? cameBy : order.paidBy };
}

/** How a payment that took money stands, by what of it has gone back. */
function statusByMoney(order: Order, payment: Payment): PaymentStatus {
  if (paymentIsReturned(order, payment)) return 'refunded';
  return payment.captures.some((capture) => isOrderMoney(order, capture)) ? 'succeeded' : 'disputed';
}

/** It paid the order, or would have: exactly the total, or accepted by a person. */
const isOrderMoney = (order: Order, capture: Capture): boolean =>
  capture.use === 'order' || (capture.use === 'excess' && isRightMoney(order, capture));

/** Payments after money of a refund went back, or came again. */
export function afterMoneyMoved(order: Order): Order {
  const payments = order.payments.map((payment) => {
    const status = payment.captures.length > 0 ? statusByMoney(order, payment) : payment.status;
    return status === payment.status ? payment : { ...payment, status };
  });
  return { ...order, payments };
}

const changePayment = (order: Order, id: PaymentId, change: (payment: Payment) => Partial<Payment>): Order => ({
  ...order,
  payments: order.payments.map((p) => (p.id === id ? { ...p, ...change(p) } : p)),
});
