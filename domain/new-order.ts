import { itemId, type MerchantId, type OrderId } from './ids.ts';
import { sum } from './money.ts';
import type { Actor, Fulfilment, Order, PayableAs } from './order.ts';

/** What an order is opened with: all that its rules need, and no personal datum. */
export type NewOrder = {
  id: OrderId;
  merchant: MerchantId;
  title: string;
  currency: string;
  items: {
    quantity: number;
    amount: number;
    fulfilment: Fulfilment;
    deliveryTimeoutSeconds: number | null;
    onFailure: 'refund' | 'ask';
  }[];
  discount: number;
  deliveryFee: number;
  confirm: boolean;
  test: boolean;
  fourEyes: boolean;
  createdAt: number;
  /** Orders of earlier versions don't tell. */
  createdBy?: Actor;
  expiresAt: number;
  refundWindowSeconds: number;
  autoReceiptAfterSeconds: number;
  payableAs?: PayableAs;
};

/** What an order was opened with: `openOrder` makes the same order of it again. */
export function openedWith(order: Order, confirm: boolean): NewOrder {
  const { id, merchant, title, currency, discount, deliveryFee, test, fourEyes, createdAt, expiresAt } = order;
  const { createdBy, refundWindowSeconds, autoReceiptAfterSeconds, payableAs } = order;
  const items = order.items.map(({ quantity, amount, fulfilment, deliveryTimeoutSeconds, onFailure }) => ({
    quantity,
    amount,
    fulfilment,
    deliveryTimeoutSeconds,
    onFailure,
  }));
  const terms = {
    ...(createdBy && { createdBy }),
    refundWindowSeconds,
    autoReceiptAfterSeconds,
    ...(payableAs && { payableAs }),
  };
  return {
    id,
    merchant,
    title,
    currency,
    items,
    discount,
    deliveryFee,
    confirm,
    test,
    fourEyes,
    createdAt,
    expiresAt,
    ...terms,
  };
}

/** The order before its first event. */
export function blankOrder({ items, confirm, ...given }: NewOrder): Order {
  return {
    ...given,
    total: sum(items.map(({ amount }) => amount)) - given.discount + given.deliveryFee,
    items: items.map((item, index) => ({
      ...item,
      id: itemId(given.id, index),
      status: 'waiting',
      arrived: 0,
      withdrawn: 0,
      failureDecided: false,
      tracking: null,
      updatedAt: null,
      arrivedAt: null,
      restartedAt: null,
      toDispatch: item.fulfilment === 'machine',
      arrivedBefore: 0,
      sends: 0,
    })),
    status: confirm ? 'pending_payment' : 'awaiting_confirmation',
    confirmed: false,
    ending: null,
    cancelReason: null,
    paidAt: null,
    dispatchFrom: null,
    paidBy: null,
    receivedAt: null,
    completedAt: null,
    endedAt: null,
    payments: [],
    refunds: [],
    redemption: null,
    review: null,
    delayed: [],
    deliveredAfterRefund: null,
    version: 0,
    seq: 0,
  };
}
