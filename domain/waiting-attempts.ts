import type { OrderEvent } from './events.ts';
import { paymentId } from './ids.ts';
import type { Order, Payment } from './order.ts';
import { isOpen, isUnpaid, SYSTEM } from './order.ts';

/**
 * An order may be payable under a number that its client knows from the start: one attempt waits at each of its
 * providers, whoever opens it there. They are the one exception to one open attempt (contract, section 4).
 */
export function waitingAttempts(order: Order): OrderEvent[] {
  const { payableAs, createdAt, expiresAt } = order;
  if (!payableAs || !isUnpaid(order) || order.test || order.total === 0) return [];
  return payableAs.methods.map((method, index) => ({
    type: 'attempt_started',
    payment: paymentId(order.id, index),
    method,
    outTradeNo: payableAs.outTradeNo,
    expiresAt,
    at: createdAt,
    by: SYSTEM,
  }));
}

/** Nobody has opened it here, so that what its provider knows of it is not our doing. */
export const isWaiting = (payment: Payment): boolean => payment.waiting === true && isOpen(payment);

/** One of those that began with the order. */
export const isPayableFromStart = (order: Order, { outTradeNo }: Payment): boolean =>
  outTradeNo === order.payableAs?.outTradeNo;
