import type { Command, RefusalCode } from '../../domain/commands.ts';
import { decide } from '../../domain/decide.ts';
import type { Decision } from '../../domain/decision.ts';
import { dutiesOf, type Duty } from '../../domain/duties.ts';
import { evolve } from '../../domain/evolve.ts';
import { isTimelineEvent } from '../../domain/events.ts';
import { sum } from '../../domain/money.ts';
import type { DeliveryStatus, Order, PaymentStatus, Refund, RefundStatus } from '../../domain/order.ts';
import { isPaid, isUnpaid, paymentOf, SYSTEM } from '../../domain/order.ts';
import { awaitsReplacement } from '../../domain/replacement.ts';
import {
  fullyRefunded,
  holdsMoney,
  isOnItsWayBack,
  isOwnRefund,
  itemShares,
  paidAmount,
  refundedAmount,
  refundedParts,
} from '../../domain/sums.ts';
import { deadlineOf } from '../../domain/time.ts';
import { unconfirmedOf } from '../../domain/unconfirmed.ts';
import { instant, timelineData } from '../../domain/view.ts';

/** What must hold whatever arrives, in whatever order, how often soever. Each throws a sentence if it doesn't. */

function must(holds: boolean, sentence: string, ...about: unknown[]): asserts holds {
  if (!holds) throw new Error(`${sentence}: ${about.map((one) => JSON.stringify(one)).join(' ')}`);
}

const CODES: readonly RefusalCode[] = [
  'invalid_request',
  'forbidden',
  'not_found',
  'order_expired',
  'invalid_state',
  'already_paid',
  'refund_exceeds_paid',
  'refund_window_closed',
  'limit_reached',
  'pickup_code_invalid',
];
const FACTS: readonly Command['type'][] = [
  'payment_opened',
  'payment_found',
  'foreign_notice_found',
  'refund_found',
  'delivery_reported',
  'dispatch_found',
];

/** The order after a command, having looked whether everything about that step is as it should be. */
export function soundly(order: Order, command: Command, at: number): Order {
  const decision = decide(order, command, at);
  if ('refused' in decision) {
    const { code, detail } = decision.refused;
    must(CODES.includes(code) && detail.endsWith('.'), 'a refusal has a code of the contract and a sentence', decision);
    const mayBeRefused = !FACTS.includes(command.type) || command.type === 'delivery_reported';
    must(mayBeRefused && command.type !== 'time_passed', 'a fact is never refused', command, decision);
    return order;
  }
  const next = decision.events.reduce(evolve, order);
  if (decision.events.length === 0) return order;
  checkStep(order, next, command, decision, at);
  checkOrder(next);
  return next;
}

function checkStep(order: Order, next: Order, command: Command, decision: Decision, at: number): void {
  const events = 'events' in decision ? decision.events : [];
  must(next.version === order.version + events.length, 'each event is a version');
  must(next.seq === order.seq + events.filter(isTimelineEvent).length, 'each entry of the timeline has a number');
  must(
    events.every((event) => event.at === at),
    'events bear the time at which they were decided',
    events,
  );
  for (const event of events.filter(isTimelineEvent)) timelineData(event);
  if (FACTS.includes(command.type)) {
    const again = decide(next, command, at);
    must('events' in again && again.events.length === 0, 'told twice is told once', command, again);
  }
  checkNoWayBack(order, next);
  checkSending(order, next, command);
  checkDutiesKeep(order, next);
}

const allGoesBack = (order: Order): boolean =>
  sumOf(order.refunds.filter((refund) => isOwnRefund(refund) && isOnItsWayBack(refund))) === paidAmount(order);

/** Whatever is final stays, and nothing goes back. */
function checkNoWayBack(order: Order, next: Order): void {
  if (order.status === 'cancelled')
    must(next.status === 'cancelled' && next.cancelReason === order.cancelReason, '`cancelled` is final');
  if (order.status === 'completed') must(next.status === 'completed', '`completed` stays');
  must(RANK[order.status] <= RANK[next.status], 'an order does not go back', order.status, next.status);
  const wasOnlyTold = order.paidBy !== null && unconfirmedOf(paymentOf(order, order.paidBy)!) !== undefined;
  must(
    order.paidBy === null || order.paidBy === next.paidBy || wasOnlyTold,
    'who paid is another one only where that was but told',
  );
  for (const fact of ['paidAt', 'receivedAt', 'completedAt', 'endedAt', 'review', 'dispatchFrom'] as const)
    must(order[fact] === null || order[fact] === next[fact], 'what happened has happened', fact);
  for (const [index, payment] of order.payments.entries()) {
    const { status, captures } = next.payments[index]!;
    const hasMovedAway = unconfirmedOf(payment) !== undefined && order.paidBy !== next.paidBy;
    must(
      status === payment.status || PAYMENT_MOVES[payment.status].includes(status) || hasMovedAway,
      'payment',
      payment.status,
      status,
    );
    must(
      captures.length >= payment.captures.length - (hasMovedAway ? 1 : 0),
      'money that came is not forgotten, nor what was told of',
    );
  }
  for (const [index, refund] of order.refunds.entries()) {
    const { status } = next.refunds[index]!;
    must(status === refund.status || REFUND_MOVES[refund.status].includes(status), 'refund', refund.status, status);
  }
  for (const [index, item] of order.items.entries()) {
    const { status, arrived, withdrawn } = next.items[index]!;
    must(withdrawn >= item.withdrawn || !allGoesBack(next), 'what goes back whole is not delivered', item, withdrawn);
    must(status === item.status || ITEM_MOVES[item.status].includes(status), 'item', item.status, status);
    must(arrived >= item.arrived, 'what arrived has arrived', item, arrived);
  }
}
const RANK: Record<Order['status'], number> = {
  awaiting_confirmation: 0,
  pending_payment: 1,
  paid: 2,
  processing: 3,
  completed: 4,
  cancelled: 4,
};
const MONEY: PaymentStatus[] = ['succeeded', 'disputed', 'refunded'];
const PAYMENT_MOVES: Record<PaymentStatus, PaymentStatus[]> = {
  pending: ['processing', 'failed', 'closed', ...MONEY],
  processing: ['pending', 'failed', 'closed', ...MONEY], // Pending: an approval was taken back.
  failed: ['processing', 'closed', ...MONEY],
  closed: MONEY,
  disputed: MONEY,
  succeeded: ['refunded'],
  refunded: ['succeeded', 'disputed'], // A refund is taken back, or more money comes.
};
const REFUND_MOVES: Record<RefundStatus, RefundStatus[]> = {
  requested: ['rejected', 'approved', 'succeeded'],
  rejected: [],
  approved: ['processing', 'succeeded', 'failed'],
  processing: ['succeeded', 'failed'],
  succeeded: ['failed'],
  failed: ['approved', 'succeeded'],
};
const ITEM_MOVES: Record<DeliveryStatus, DeliveryStatus[]> = {
  waiting: ['delivering', 'delivered', 'picked_up', 'failed', 'timed_out', 'refunded'],
  delivering: ['delivered', 'picked_up', 'failed', 'timed_out', 'refunded'],
  failed: ['delivering', 'delivered', 'picked_up', 'refunded'],
  timed_out: ['delivering', 'delivered', 'picked_up', 'refunded'],
  delivered: ['refunded'],
  picked_up: ['refunded'],
  refunded: [],
};

/** An item is sent on once for each intent: by paying for it, and by each redelivery. */
function checkSending(order: Order, next: Order, command: Command): void {
  for (const [index, item] of order.items.entries()) {
    const { sends, toDispatch } = next.items[index]!;
    must(sends === item.sends || sends === item.sends + 1, 'an item is sent on once at a time', item, sends);
    must(!toDispatch || item.toDispatch || command.type === 'redeliver', 'sent on again only by redelivery', command);
    must(sends === item.sends || !toDispatch, 'what was sent on is not to be sent on', item);
  }
  if (command.type === 'redeem_code')
    must(
      !order.refunds.some((refund) => isOwnRefund(refund) && refund.status === 'requested'),
      'no code is redeemed while a refund is under review',
    );
}

/** The same duty is owed since the same moment: whoever carries it out may know it by its key. */
function checkDutiesKeep(order: Order, next: Order): void {
  const before = new Map(dutiesOf(order).map((duty) => [duty.key, duty]));
  for (const duty of dutiesOf(next)) {
    const was = before.get(duty.key);
    must(!was || (was.since === duty.since && was.type === duty.type), 'a duty keeps its key', was, duty);
  }
}

/** What holds for an order as it stands. */
export function checkOrder(order: Order): void {
  checkMoney(order);
  checkItems(order);
  checkWithdrawn(order);
  checkRefunds(order);
  checkDuties(order);
  must(!order.ending || isUnpaid(order), 'only an unpaid order is about to end unpaid');
  must((order.status === 'cancelled') === (order.cancelReason !== null), 'who is cancelled has a reason');
}

/** Rules 1 and 2, at every moment: of all that came, what is not on its way back is what the order is owed. */
function checkMoney(order: Order): void {
  const captures = order.payments.flatMap((payment) =>
    payment.captures.map((one) => ({ ...one, payment: payment.id })),
  );
  for (const currency of new Set([order.currency, ...captures.map((one) => one.currency)])) {
    const came = captures.filter((one) => one.currency === currency);
    const strays = order.refunds.filter((refund) => !isOwnRefund(refund) && refund.currency === currency);
    const openDisputes = isUnpaid(order) ? came.filter(({ use }) => use === 'disputed') : [];
    const kept = sumOf(came) - sumOf(strays) - sumOf(openDisputes);
    const owed = order.paidBy !== null && currency === order.currency ? order.total : 0;
    must(kept === owed, 'money is kept that is not owed, or given away', { currency, kept, owed });
  }
  for (const { payment, tradeNo, amount, currency } of captures) {
    const back = order.refunds.filter((r) => r.source?.payment === payment && r.source.tradeNo === tradeNo);
    must(sumOf(back.filter(holdsMoney)) <= amount, 'no more goes back than came', tradeNo, back);
    must(
      back.every((refund) => refund.currency === currency),
      'money goes back in its own currency',
    );
  }
  must(order.paidBy === null || captures.filter(({ use }) => use === 'order').length === 1, 'one capture pays');
  must(
    order.paidBy === null || paymentOf(order, order.paidBy)!.captures.some(({ use }) => use === 'order'),
    'by the attempt that has it',
  );
  must(
    new Set(captures.map(({ tradeNo }) => tradeNo)).size === captures.length,
    'a number is of one capture',
    captures,
  );
}
const sumOf = (money: readonly { amount: number }[]): number => sum(money.map(({ amount }) => amount));

/** Rule 3. */
function checkRefunds(order: Order): void {
  const [paid, refunded] = [paidAmount(order), refundedAmount(order)];
  const own = order.refunds.filter(isOwnRefund);
  const held = own.filter(holdsMoney);
  must(refunded <= sumOf(held) && sumOf(held) <= paid, 'refunds never exceed what was paid', refunded, paid);
  const shares = itemShares(order);
  must(sum(shares) === order.total && shares.every((share) => share >= 0), 'shares add up to the total', shares);
  for (const [index, item] of order.items.entries()) {
    const parts = held.flatMap(({ items }) => items ?? []).filter((part) => part.item === item.id);
    must(sum(parts.map(({ quantity }) => quantity)) <= item.quantity, 'no more units than there are', parts);
    must(sumOf(parts) <= shares[index]!, "no more than the item's share", parts, shares[index]);
  }
  for (const refund of own) checkRefund(refund);
  must(new Set(order.refunds.map(({ id }) => id)).size === order.refunds.length, 'refunds have their own ids');
}

function checkRefund(refund: Refund): void {
  if (refund.items) must(sumOf(refund.items) === refund.amount, 'the parts of a refund add up', refund);
  must((refund.status === 'succeeded') === (refund.settledAt !== null), 'settled when succeeded', refund);
  must(refund.retryAt === null || refund.status === 'failed', 'what failed is tried again', refund);
  must(refund.replacedAmount <= refund.amount, 'no more is replaced than failed', refund);
}

function checkItems(order: Order): void {
  for (const item of order.items) {
    const { arrived, withdrawn, quantity, status } = item;
    must(arrived >= 0 && withdrawn >= 0 && arrived + withdrawn <= quantity, 'arrived + withdrawn ≤ quantity', item);
    const isWhole = status === 'delivered' || status === 'picked_up';
    must(!isWhole || (arrived > 0 && arrived + withdrawn === quantity), 'delivered is all that can arrive', item);
    must(order.paidAt !== null || (status === 'waiting' && arrived === 0), 'nothing moves before it is paid', item);
    const refunded = fullyRefunded(order) ? quantity : (refundedParts(order).get(item.id)?.quantity ?? 0);
    must(refunded <= arrived + withdrawn, 'what went back is not to come any more', item, refunded);
    must(item.arrivedBefore <= arrived, 'what had arrived before a dispatch has arrived', item);
  }
}

/** What was withdrawn and never came has been given back, by name or as an amount. */
function checkWithdrawn(order: Order): void {
  const own = order.refunds.filter(isOwnRefund);
  const isOpen = own.some((one) => (holdsMoney(one) && one.settledAt === null) || awaitsReplacement(order, one));
  const settled = own.filter(({ settledAt }) => settledAt !== null);
  if (order.status !== 'completed' || isOpen || settled.some(({ all }) => all)) return;
  const [shares, parts] = [itemShares(order), refundedParts(order)];
  const missing = order.items.map(({ id, status, withdrawn, quantity }, index) =>
    status === 'waiting' && withdrawn === quantity ? shares[index]! - (parts.get(id)?.amount ?? 0) : 0,
  );
  const byAmount = sumOf(settled.filter(({ items }) => items === null));
  must(sum(missing) <= byAmount, 'what is withdrawn is given back', missing, byAmount);
}

function checkDuties(order: Order): void {
  const duties = dutiesOf(order);
  must(new Set(duties.map(({ key }) => key)).size === duties.length, 'each duty has its own key', duties);
  for (const { since, dueAt } of duties) must(dueAt >= since, 'nothing is due before it is owed');
  for (const duty of duties) if (duty.type === 'dispatch_item') checkDispatch(order, duty);
  if (!isUnpaid(order))
    must(
      duties.every(({ type }) => type !== 'open_attempt' && type !== 'capture_attempt'),
      'nothing is opened or taken for an order that needs no money',
      duties,
    );
  for (const { type, dueAt, ...duty } of duties)
    if (type === 'watch_attempt' && 'payment' in duty && !isUnpaid(order))
      must(
        dueAt === paymentOf(order, duty.payment)?.watched?.until,
        'what could not be closed is asked about once more',
      );
  if (order.ending)
    must(
      duties.every(({ type }) => type !== 'capture_attempt'),
      'no money is taken for an order that ends',
    );
  for (const { status, watched } of order.payments)
    must(!watched || status === 'failed' || status === 'closed', 'what is open is not left to be watched', status);
}

/** A machine is told only what is paid, is to come, and is not held by a cancellation under review. */
function checkDispatch(order: Order, { item: id, quantity, dispatch }: Extract<Duty, { type: 'dispatch_item' }>): void {
  const item = order.items.find((one) => one.id === id)!;
  must(item.fulfilment === 'machine' && isPaid(order) && !order.test, 'only paid machine items are dispatched', item);
  must(quantity > 0 && item.arrived + item.withdrawn + quantity <= item.quantity, 'no more than is to come', item);
  must(dispatch === item.sends + 1, 'a dispatch keeps its number until it is taken', item, dispatch);
  must(
    !order.refunds.some(({ origin, status }) => origin === 'cancellation' && status === 'requested'),
    'nothing is dispatched while a cancellation is under review',
    item,
  );
}

/** What is due by time alone comes to rest at once: an alarm in the past would ring for ever. */
export function letTimePass(order: Order, at: number): Order {
  let now = order;
  for (let rounds = 0; rounds < 5; rounds++) {
    const due = deadlineOf(now);
    if (due === null || due > at) return now;
    const next = soundly(now, { type: 'time_passed', by: SYSTEM }, at);
    must(next !== now, 'a deadline that has passed leads to something', instant(due));
    now = next;
  }
  throw new Error('time does not come to rest');
}
