import type { StoredOrder } from '../db/orders.ts';
import type { OrderView } from '../domain/view.ts';

/**
 * What a notification says. No names, addresses, links or codes: it lies in logs and queues of others, and what was sent
 * can't be erased there. Whoever needs them reads the order.
 * @param at when it happened. @param view the order as it was then
 */
export function notificationBody(type: string, at: Date, view: OrderView, { order, row, items }: StoredOrder): string {
  const { id, currency, ...state } = view;
  const { details } = row;
  const data = {
    id,
    number: row.number,
    merchant_order_no: row.merchant_order_no,
    currency,
    ...state,
    items: state.items.map((item) => ({ ...item, ...namesOf(items, item.id) })),
    discount: order.discount,
    delivery_fee: order.deliveryFee,
    delivery: null,
    customer: null,
    confirm: details.confirm,
    test: order.test,
    return_url: details.return_url,
    expires_in: details.expires_in,
    machine_no: details.machine_no ?? null,
    delivery_timeout: details.delivery_timeout,
    auto_receipt_after: details.auto_receipt_after,
    refund_window: details.refund_window,
    metadata: details.metadata,
    pickup_code: null,
    checkout_url: null,
    workflow: null,
  };
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}

function namesOf(items: StoredOrder['items'], id: string) {
  const found = items.find((item) => item.id === id);
  if (!found) throw new Error(`item ${id} has no row`);
  const { sku, name, unit_amount, machine_no } = found;
  return { sku, name, unit_amount, machine_no };
}
