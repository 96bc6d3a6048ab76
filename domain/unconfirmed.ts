import type { MoneyFound } from './commands.ts';
import type { OrderEvent } from './events.ts';
import type { Actor, Capture, Order, Payment } from './order.ts';
import { isLive, isUnpaid, isWatched } from './order.ts';
import { isRightMoney } from './returns.ts';

/** Money of which only the merchant has told, by a proof of its own: contract, section 4. */

/**
 * It pays an order that is unpaid, and is asked about until its provider confirms it. Another amount is told in the
 * timeline only; a number that is known already tells nothing new. An order that needs no money any more has nothing to
 * give back before its provider says that it came.
 */
export function moneyTold(order: Order, attempt: Payment, money: MoneyFound, at: number, by: Actor): OrderEvent[] {
  const stamp = { payment: attempt.id, at, by };
  const { tradeNo, amount, currency, paidAt } = money;
  const told = { tradeNo, amount, currency, at: paidAt, unconfirmed: true } as const;
  if (!isRightMoney(order, money))
    return [{ type: 'payment.disputed', capture: { ...told, use: 'disputed' }, isOnlyTold: true, ...stamp }];
  if (attempt.captures.length > 0) return [];
  if (!isUnpaid(order))
    return isLive(attempt) || isWatched(attempt) ? [] : [{ type: 'attempt_asked', watchedUntil: at, ...stamp }];
  if (order.payments.some(({ captures }) => captures.some((known) => known.tradeNo === tradeNo))) return [];
  return [
    { type: 'money_captured', capture: { ...told, use: 'order' }, ...stamp },
    { type: 'order.paid', paidAt, ...stamp },
  ];
}

export const unconfirmedOf = ({ captures }: Payment): Capture | undefined =>
  captures.find(({ unconfirmed }) => unconfirmed);

/**
 * The provider's word about money that was only told of, be it of another attempt by mistake: then it is known by its
 * number, and moves to the attempt that it came by. Null if the provider speaks of other money.
 */
export function confirmed(order: Order, attempt: Payment, money: MoneyFound, at: number, by: Actor): OrderEvent | null {
  const { tradeNo, amount, currency, paidAt } = money;
  const own = unconfirmedOf(attempt);
  const named =
    own && isRightMoney(order, money)
      ? attempt
      : order.payments.find((payment) => unconfirmedOf(payment)?.tradeNo === tradeNo);
  const told = named && unconfirmedOf(named);
  if (!told) return null;
  const capture: Capture = { tradeNo, amount, currency, at: paidAt, use: told.use };
  const moved = named === attempt ? {} : { cameBy: attempt.id };
  return { type: 'capture_confirmed', payment: named.id, told: told.tradeNo, capture, ...moved, at, by };
}

/** The order was taken to be paid by it, and its provider says that less came. */
export const fallsShort = (order: Order, { captures }: Payment): boolean =>
  captures.some((one) => one.use === 'order' && !one.unconfirmed && one.amount < order.total);
