import type { OrderEvent } from './events.ts';
import { returnId } from './ids.ts';
import type { Actor, Capture, Order, Payment, RefundOrigin } from './order.ts';
import { isPaid, isUnpaid, SYSTEM } from './order.ts';
import { approvedByItself, newRefund } from './refund.ts';
import { isOwnRefund } from './sums.ts';

/** Rule 2: exactly the total, in the order's currency. */
export const isRightMoney = (order: Order, { amount, currency }: { amount: number; currency: string }): boolean =>
  amount === order.total && currency === order.currency;

/** Money that is not the order's goes back by itself: a second payment, a late one, a disputed one (rules 1, 2, 5). */
export function strayMoneyReturns(order: Order, at: number): OrderEvent[] {
  return order.payments.flatMap((payment) => {
    const capture = payment.captures.find((one) => strayAmount(order, payment, one) > 0);
    return capture ? [moneyReturns(order, payment, capture, at)] : [];
  });
}

/** How much of a capture is not the order's and not yet on its way back. Minor units of the capture's currency. */
function strayAmount(order: Order, payment: Payment, { tradeNo, amount, use }: Capture): number {
  if (isGoingBack(order, payment, tradeNo)) return 0;
  switch (use) {
    case 'excess':
      return amount;
    case 'disputed':
      return isUnpaid(order) ? 0 : amount;
    case 'order':
      return amount - order.total;
  }
}

/** Money that came under this number was found to be stray before, and is returned or being returned. */
export const isGoingBack = (order: Order, { id }: Payment, tradeNo: string): boolean =>
  order.refunds.some(
    (refund) => !isOwnRefund(refund) && refund.source?.payment === id && refund.source.tradeNo === tradeNo,
  );

/** @param decided who decided that it goes back and why, if a person did */
export function moneyReturns(
  order: Order,
  payment: Payment,
  capture: Capture,
  at: number,
  decided: { by: Actor; applicant: string; note: string | null } = { by: SYSTEM, applicant: 'system', note: null },
): Extract<OrderEvent, { type: 'refund.requested' }> {
  const earlier = order.refunds.filter((refund) => !isOwnRefund(refund) && refund.source?.payment === payment.id);
  const amount = strayAmount(order, payment, capture);
  const application = {
    id: returnId(payment.id, earlier.length),
    amount,
    origin: strayOrigin(order, capture),
    applicant: decided.applicant,
    reason: null,
  };
  const refund = {
    ...approvedByItself(newRefund(order, application, at), at),
    currency: capture.currency,
    source: { payment: payment.id, tradeNo: capture.tradeNo },
    note: decided.note,
  };
  return { type: 'refund.requested', refund, at, by: decided.by };
}

function strayOrigin(order: Order, capture: Capture): RefundOrigin {
  if (capture.use !== 'excess' || !isRightMoney(order, capture)) return 'disputed_payment';
  return isPaid(order) ? 'duplicate_payment' : 'late_payment';
}
