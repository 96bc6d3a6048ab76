import type { DeliveryStatus, Item, Order } from '../../domain/order.ts';
import { isLive, isPaid } from '../../domain/order.ts';
import { hasCode } from '../../domain/pickup.ts';
import { isOnItsWayBack, ownRefunds, paidAmount, sumOf } from '../../domain/sums.ts';
import { refundStatus, statusOf } from '../../domain/view.ts';

/** Our states in the words of the vending machines' API: the table of the contract, section 3. */

export type VendingStatus =
  'SUCCESS' | 'REFUND' | 'CLOSED' | 'REVOKED' | 'USERPAYING' | 'PAYERROR' | 'PICKUPCODE' | 'NOTPAY' | 'TESTPAY';

/** The first that fits; null: expired, which that API answers with a code of its own. */
export function orderStatus(order: Order): VendingStatus | null {
  if (order.test) return 'TESTPAY';
  if (order.cancelReason === 'expired') return null;
  if (isRefunded(order)) return 'REFUND';
  if (order.cancelReason === 'revoked') return 'REVOKED';
  if (order.status === 'cancelled') return 'CLOSED';
  if (isPaid(order)) return hasCode(order) ? 'PICKUPCODE' : 'SUCCESS';
  if (statusOf(order) === 'paying') return 'USERPAYING';
  return newestAttemptFailed(order) ? 'PAYERROR' : 'NOTPAY';
}

/** In full, or all that is left is on its way back. */
function isRefunded(order: Order): boolean {
  if (order.cancelReason === 'refunded' || refundStatus(order) === 'full') return true;
  const back = sumOf(ownRefunds(order).filter(isOnItsWayBack));
  return back > 0 && back === paidAmount(order);
}

const newestAttemptFailed = ({ status, payments }: Order): boolean =>
  status === 'pending_payment' && payments.at(-1)?.status === 'failed' && !payments.some(isLive);

const RECORD = {
  waiting: 'WAITING_PICKED_UP',
  delivering: 'IS_DELIVERING',
  delivered: 'IS_SUCCESS',
  picked_up: 'IS_PICKED_UP',
  failed: 'IS_FAILED',
  timed_out: 'IS_TIMEOUT',
  refunded: 'IS_REFUND',
} as const satisfies Record<DeliveryStatus, string>;
export type RecordStatus = (typeof RECORD)[DeliveryStatus];

/** Null until the order is paid. */
export const recordStatus = ({ paidAt }: Order, { status }: Item): RecordStatus | null =>
  paidAt === null ? null : RECORD[status];
