import { unreachable } from './brand.ts';
import type { Command } from './commands.ts';
import type { Decision } from './decision.ts';
import { done } from './decision.ts';
import { afterDelivery, afterFailure, confirmReceipt, deliveryReported, redeliver, review } from './delivery.ts';
import { afterEnding, cancel, confirm } from './ending.ts';
import type { OrderEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { returnId } from './ids.ts';
import type { NewOrder, Order, Payment, RefundOrigin } from './order.ts';
import { blankOrder, isOpen, isPaid, isUnpaid, SYSTEM } from './order.ts';
import { foreignNoticeFound, openPayment, paymentFound, paymentOpened, resolveDispute } from './payment.ts';
import {
  applyRefund,
  approvedByItself,
  newRefund,
  refundFound,
  refundTriedAgain,
  reviewIgnored,
  reviewRefund,
} from './refund.ts';
import { fullyRefunded } from './sums.ts';
import { timePassed } from './time.ts';

/** What a command means for this order at that time, decided without touching anything. */
export function decide(order: Order, command: Command, at: number): Decision {
  const decision = answerTo(order, command, at);
  if ('refused' in decision || decision.events.length === 0) return decision;
  return { events: withConsequences(order, decision.events, at) };
}

function answerTo(order: Order, command: Command, at: number): Decision {
  switch (command.type) {
    case 'confirm':
      return confirm(order, command, at);
    case 'open_payment':
      return openPayment(order, command, at);
    case 'cancel':
      return cancel(order, command, at);
    case 'apply_refund':
      return applyRefund(order, command, at);
    case 'review_refund':
      return reviewRefund(order, command, at);
    case 'resolve_dispute':
      return resolveDispute(order, command, at);
    case 'redeliver':
      return redeliver(order, command, at);
    case 'confirm_receipt':
      return confirmReceipt(order, command, at);
    case 'review':
      return review(order, command, at);
    case 'retry':
      return retry(order, at);
    case 'payment_opened':
      return paymentOpened(order, command, at);
    case 'payment_found':
      return paymentFound(order, command, at);
    case 'foreign_notice_found':
      return foreignNoticeFound(order, command, at);
    case 'refund_found':
      return refundFound(order, command, at);
    case 'review_ignored':
      return reviewIgnored(command, at);
    case 'delivery_reported':
      return deliveryReported(order, command, at);
    case 'time_passed':
      return done(...timePassed(order, at));
    default:
      return unreachable(command);
  }
}

/** Failed returns are tried again now; what is under way is begun anew by whoever carries the duties out. */
const retry = (order: Order, at: number): Decision =>
  done(...order.refunds.filter(({ retryAt }) => retryAt !== null).map((refund) => refundTriedAgain(refund, at)));

/** The order as it is opened, and its first events: free and test orders are paid at once. */
export function openOrder(given: NewOrder): { order: Order; events: OrderEvent[] } {
  const blank = blankOrder(given);
  const events = withConsequences(blank, [{ type: 'order.created', at: given.createdAt, by: SYSTEM }], given.createdAt);
  return { order: events.reduce(evolve, blank), events };
}

/** Events have consequences by the order's own rules, and those have further ones, until there are none. */
function withConsequences(order: Order, events: readonly OrderEvent[], at: number): OrderEvent[] {
  const all = [...events];
  for (let now = events.reduce(evolve, order); ;) {
    const next = consequences(now, at);
    if (next.length === 0) return all;
    all.push(...next);
    now = next.reduce(evolve, now);
  }
}

/** The first rule that has something to say. */
function consequences(order: Order, at: number): OrderEvent[] {
  for (const rule of RULES) {
    const events = rule(order, at);
    if (events.length > 0) return events;
  }
  return [];
}

const RULES: ((order: Order, at: number) => OrderEvent[])[] = [
  paidWithoutMoney,
  (order, at) => afterEnding(order, at, SYSTEM),
  otherAttemptsClose,
  strayMoneyReturns,
  settledWithoutProvider,
  endedByRefund,
  afterDelivery,
  afterFailure,
];

function paidWithoutMoney(order: Order, at: number): OrderEvent[] {
  return order.status === 'pending_payment' && (order.test || order.total === 0)
    ? [{ type: 'order.paid', payment: null, paidAt: at, at, by: SYSTEM }]
    : [];
}

/** One paid: what is still open elsewhere is closed (rule 1). */
function otherAttemptsClose(order: Order, at: number): OrderEvent[] {
  if (isUnpaid(order)) return [];
  return order.payments.filter(isOpen).map((p) => ({ type: 'attempt_closing', payment: p.id, at, by: SYSTEM }));
}

/** Money that is not the order's goes back by itself: a second payment, a late one, a disputed one (rules 1, 2, 5). */
function strayMoneyReturns(order: Order, at: number): OrderEvent[] {
  return order.payments.flatMap((payment) =>
    payment.captures
      .map((capture) => ({ capture, amount: strayAmount(order, payment, capture) }))
      .filter(({ amount }) => amount > 0)
      .slice(0, 1)
      .map(({ capture, amount }): OrderEvent => {
        const index = order.refunds.filter(
          ({ source, origin }) => source?.payment === payment.id && origin.endsWith('_payment'),
        ).length;
        const application = {
          id: returnId(payment.id, index),
          ask: { type: 'amount', amount },
          amount,
          origin: strayOrigin(order, payment, capture),
          applicant: 'system',
          reason: null,
        } as const;
        const refund = {
          ...newRefund(order, application, at),
          currency: capture.currency,
          source: { payment: payment.id, tradeNo: capture.tradeNo },
        };
        return { type: 'refund.requested', refund: approvedByItself(refund, at), at, by: SYSTEM };
      }),
  );
}

function strayAmount(order: Order, payment: Payment, { tradeNo, amount, use }: Payment['captures'][number]): number {
  if (
    order.refunds.some(
      ({ source, origin }) =>
        source?.payment === payment.id && source.tradeNo === tradeNo && origin.endsWith('_payment'),
    )
  )
    return 0;
  if (use === 'excess') return amount;
  if (use === 'disputed') return isUnpaid(order) ? 0 : amount;
  return amount - order.total;
}

function strayOrigin(
  order: Order,
  payment: Payment,
  { amount, currency, use }: Payment['captures'][number],
): RefundOrigin {
  const right = amount === order.total && currency === order.currency;
  if (use !== 'excess' || !right) return 'disputed_payment';
  return isPaid(order) || order.paidBy === payment.id ? 'duplicate_payment' : 'late_payment';
}

/** Test orders, free orders and parts that are worth nothing need no provider. */
function settledWithoutProvider(order: Order, at: number): OrderEvent[] {
  return order.refunds
    .filter(({ status, source, amount }) => status === 'approved' && (source === null || amount === 0))
    .map(({ id }) => ({ type: 'refund.succeeded', refund: id, settledAt: at, at, by: SYSTEM }));
}

/** Refunded in full before anything arrived. */
function endedByRefund(order: Order, at: number): OrderEvent[] {
  const nothingArrived = order.items.every(({ arrived }) => arrived === 0);
  const ends = isPaid(order) && order.status !== 'completed' && nothingArrived && fullyRefunded(order);
  return ends ? [{ type: 'order.cancelled', reason: 'refunded', detail: null, at, by: SYSTEM }] : [];
}
