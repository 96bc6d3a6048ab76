import { applyRefund } from './application.ts';
import { unreachable } from './brand.ts';
import type { Command } from './commands.ts';
import { completes, confirmReceipt, endedByRefund, grantedAtOnce, processingBegins, review } from './completion.ts';
import type { Decision } from './decision.ts';
import { done } from './decision.ts';
import { afterFailure } from './delivery-refund.ts';
import { deliveryReported, redeliver } from './delivery.ts';
import { dispatchFound } from './dispatch.ts';
import { cancel, cancellationOfPaid, confirm, endsUnpaid, otherAttemptsClose, paidWithoutMoney } from './ending.ts';
import type { OrderEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { blankOrder, type NewOrder } from './new-order.ts';
import type { Order } from './order.ts';
import { SYSTEM } from './order.ts';
import { foreignNoticeFound, paymentFound, paymentOpened } from './payment-found.ts';
import { openPayment, resolveDispute } from './payment.ts';
import { redeemCode } from './pickup.ts';
import { refundFound, settledWithoutProvider } from './refund.ts';
import { strayMoneyReturns } from './returns.ts';
import { reviewIgnored, reviewRefund } from './review.ts';
import { retry, timePassed } from './time.ts';
import { waitingAttempts } from './waiting-attempts.ts';

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
    case 'redeem_code':
      return redeemCode(order, command, at);
    case 'confirm_receipt':
      return confirmReceipt(order, command, at);
    case 'review':
      return review(order, command, at);
    case 'retry':
      return retry(order, command.by, at);
    case 'payment_opened':
      return paymentOpened(order, command, at);
    case 'payment_found':
      return paymentFound(order, command, at);
    case 'foreign_notice_found':
      return foreignNoticeFound(order, command, at);
    case 'refund_found':
      return refundFound(order, command, at);
    case 'review_ignored':
      return reviewIgnored(order, command, at);
    case 'delivery_reported':
      return deliveryReported(order, command, at);
    case 'dispatch_found':
      return dispatchFound(order, command, at);
    case 'time_passed':
      return done(...timePassed(order, at));
    default:
      return unreachable(command);
  }
}

/** The order as it is opened, and its first events: free and test orders are paid at once. */
export function openOrder(given: NewOrder): { order: Order; events: OrderEvent[] } {
  const blank = blankOrder(given);
  const { createdAt: at, createdBy: by = SYSTEM } = given;
  const events = withConsequences(blank, [{ type: 'order.created', at, by }, ...waitingAttempts(blank)], at);
  return { order: events.reduce(evolve, blank), events };
}

/**
 * Events have consequences by the order's own rules, and those have further ones, until there are none. That is so
 * after a few rounds, since what a rule does takes away its reason: an order is paid and ends once, an attempt closes
 * once, a capture is returned once, a refund settles once, an item arrives once. More rounds than that are a bug, which
 * must not occupy the workflow for ever.
 */
function withConsequences(order: Order, events: readonly OrderEvent[], at: number): OrderEvent[] {
  const all = [...events];
  let now = events.reduce(evolve, order);
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    const next = consequences(now, at);
    if (next.length === 0) return all;
    all.push(...next);
    now = next.reduce(evolve, now);
  }
  throw new Error(`the rules of order ${order.id} do not come to an end`);
}
const MOST_ROUNDS = 100;

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
  cancellationOfPaid,
  endsUnpaid,
  otherAttemptsClose,
  strayMoneyReturns,
  settledWithoutProvider,
  endedByRefund,
  grantedAtOnce,
  processingBegins,
  afterFailure,
  completes,
];
