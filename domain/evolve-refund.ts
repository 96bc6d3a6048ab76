import { unreachable } from './brand.ts';
import { deliverable, hasFailed, isOnItsWay } from './item.ts';
import type { OrderEvent, Withdrawal } from './events.ts';
import { afterMoneyMoved } from './evolve-payment.ts';
import type { RefundId } from './ids.ts';
import type { Item, Order, Refund } from './order.ts';
import { settlingTry } from './refund.ts';
import { mayBeDelivered, takenOver } from './replacement.ts';
import { fullyRefunded, heldParts, NO_PART, refundedParts } from './sums.ts';

type RefundEvent = Extract<OrderEvent, { type: `refund.${string}` | `refund_${string}` }>;

/** The order after something happened to one of its refunds. */
export function afterRefundEvent(order: Order, event: RefundEvent): Order {
  switch (event.type) {
    case 'refund.requested':
      return requested(order, event.refund, event.withdrawn ?? []);
    case 'refund.reviewed':
      if ('ignored' in event) return order;
      return event.decision === 'approve' ? approved(order, event) : rejected(order, event);
    case 'refund_processing':
      return changeRefund(order, event.refund, () => ({ status: 'processing', processingSince: event.at }));
    case 'refund.succeeded':
      return succeeded(order, event);
    case 'refund.failed':
      return failed(order, event);
    case 'refund.overdue':
      return changeRefund(order, event.refund, () => ({ overdue: true }));
    case 'refund_tried_again':
      return changeRefund(order, event.refund, ({ tries }) => ({
        status: 'approved',
        tries: tries + 1,
        triedAt: event.at,
        retryAt: null,
        processingSince: null,
      }));
    case 'refund_astray':
      return changeRefund(order, event.refund, ({ astray = [] }) => ({
        astray: [...astray, { tries: event.tries, settledAt: event.settledAt, isSeen: false }],
      }));
    default:
      return unreachable(event);
  }
}

/** A pending cancellation has become an application. */
function requested(order: Order, refund: Refund, withdrawn: readonly Withdrawal[]): Order {
  const refunds = [...replacing(order.refunds, refund), refund];
  const ending = refund.origin === 'cancellation' ? null : order.ending;
  return withdrawUnits({ ...order, refunds, ending }, withdrawn);
}

/** A new application takes over what failed after a person's decision. */
function replacing(refunds: readonly Refund[], fresh: Refund): Refund[] {
  const taken = takenOver(refunds, fresh);
  return refunds.map((refund, index) =>
    taken[index] === 0 ? refund : { ...refund, replacedAmount: refund.replacedAmount + taken[index]! },
  );
}

type Reviewed = Extract<RefundEvent, { type: 'refund.reviewed'; withdrawn: unknown }>;
const decision = ({ reviewer, note, at }: Reviewed) => ({ reviewer, note, reviewedAt: at });

function approved(order: Order, event: Reviewed): Order {
  const next = changeRefund(order, event.refund, () => ({
    ...decision(event),
    status: 'approved',
    owedSince: event.at,
  }));
  return deliverableAgain(withdrawUnits(next, event.withdrawn));
}

function withdrawUnits(order: Order, withdrawn: readonly Withdrawal[]): Order {
  if (withdrawn.length === 0) return order;
  const units = new Map(withdrawn.map(({ item, quantity }) => [item, quantity]));
  const items = order.items.map((item) => {
    const quantity = units.get(item.id);
    return quantity === undefined ? item : { ...item, withdrawn: item.withdrawn + quantity };
  });
  return { ...order, items };
}

/** A rejected refund that names an item, or all, is the decision on it, where it had failed. */
function rejected(order: Order, event: Reviewed): Order {
  const next = changeRefund(order, event.refund, () => ({ ...decision(event), status: 'rejected' }));
  const refund = next.refunds.find(({ id }) => id === event.refund);
  const named = new Set(refund?.items?.map(({ item }) => item));
  const items = next.items.map((item) =>
    hasFailed(item) && (refund?.all || named.has(item.id)) ? { ...item, failureDecided: true } : item,
  );
  return deliverableAgain({ ...next, items });
}

/** Units that were withdrawn for a refund that failed may be delivered after all, once that is decided. */
function deliverableAgain(order: Order): Order {
  if (!mayBeDelivered(order)) return order;
  const parts = heldParts(order);
  const items = order.items.map((item) => {
    const withdrawn = Math.min(item.withdrawn, (parts.get(item.id) ?? NO_PART).quantity);
    return takesMore(item) && withdrawn < item.withdrawn ? { ...item, withdrawn } : item;
  });
  return { ...order, items };
}

/** What a machine was told to dispense stays as it was told. */
const takesMore = (item: Item): boolean =>
  item.status === 'waiting' || (item.fulfilment !== 'machine' && (isOnItsWay(item) || hasFailed(item)));

function succeeded(order: Order, event: Extract<RefundEvent, { type: 'refund.succeeded' }>): Order {
  const { tries = null } = event;
  const next = changeRefund(order, event.refund, ({ astray }) => ({
    status: 'succeeded',
    settledAt: event.settledAt,
    failure: null,
    failedAt: null,
    retryAt: null,
    ...(tries !== null && { settledTry: tries }),
    ...(astray && { astray: astray.filter((one) => one.tries !== tries) }),
  }));
  return afterMoneyMoved(settled(next, event.at));
}

/** The money is back: what never arrived never will, and an item wholly refunded has come to its end. */
function settled(order: Order, at: number): Order {
  const all = fullyRefunded(order);
  const parts = refundedParts(order);
  const items = order.items.map((item) => {
    const refunded = all ? item.quantity : (parts.get(item.id) ?? NO_PART).quantity;
    const withdrawn = Math.max(item.withdrawn, Math.min(refunded, item.quantity - item.arrived));
    return changed(item, withdrawn, statusWhenSettled({ ...item, withdrawn }, refunded), at);
  });
  return { ...order, items };
}

/** Delivered when arrived and refunded units make up the whole; refunded, for good, when all of it went back. */
function statusWhenSettled(item: Item, refunded: number): Item['status'] {
  if (refunded === item.quantity) return 'refunded';
  const isWhole = item.arrived > 0 && item.arrived === deliverable(item);
  return isWhole && !['picked_up', 'refunded'].includes(item.status) ? 'delivered' : item.status;
}

function changed(item: Item, withdrawn: number, status: Item['status'], at: number): Item {
  if (status !== item.status) return { ...item, withdrawn, status, updatedAt: at };
  return withdrawn === item.withdrawn ? item : { ...item, withdrawn };
}

/** A success that is taken back is owed anew. */
function failed(order: Order, event: Extract<RefundEvent, { type: 'refund.failed' }>): Order {
  const next = changeRefund(order, event.refund, (refund) => {
    const isReversal = refund.status === 'succeeded';
    return {
      status: 'failed',
      failure: event.failure,
      failedAt: refund.failedAt ?? event.at,
      reversed: isReversal,
      ...(isReversal && { reversedTries: [...(refund.reversedTries ?? []), settlingTry(refund)] }),
      owedSince: isReversal ? event.at : refund.owedSince,
      settledAt: null,
      retryAt: event.retryAt,
      ...(refund.settledTry !== undefined && { settledTry: null }),
    };
  });
  return afterMoneyMoved(next);
}

const changeRefund = (order: Order, id: RefundId, change: (refund: Refund) => Partial<Refund>): Order => ({
  ...order,
  refunds: order.refunds.map((r) => (r.id === id ? { ...r, ...change(r) } : r)),
});
