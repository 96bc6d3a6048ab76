import type { StoredOrder } from '../../db/orders.ts';
import { dayAt } from '../../domain/day.ts';
import { withToken } from '../../domain/hidden-token.ts';
import { decimalAmount, sum } from '../../domain/money.ts';
import { isOpen } from '../../domain/order.ts';
import { VendingFailure } from './failures.ts';
import { withoutEmpty } from './omission.ts';
import { orderStatus, recordStatus } from './states.ts';

/** An order as vending clients see it: keys in the order of the source's example (seed 002). */

/** @throws VendingFailure expired */
export const orderData = (stored: StoredOrder): Record<string, unknown> =>
  withoutEmpty({
    ...heading(stored),
    notify_send_count: sum(stored.items.map(({ sends }) => sends)),
    records: stored.items.map((item, index) => ({
      id: item.number,
      product_id: Number(item.sku),
      quantity: item.quantity,
      price: yuanOf(stored, item.amount),
      status: recordStatus(stored.order, stored.order.items[index]!),
      notify_sent: item.sends > 0 ? '1' : '0',
    })),
    pickup_code_id: stored.pickup?.id,
  });

/** What only whoever ordered sees: the code as it is typed at the machine, and the token of the buyer's page. */
export type ForOrdering = { pickupCode: string | null; checkoutToken: string };

/** @throws VendingFailure expired */
export function orderedData(stored: StoredOrder, { pickupCode, checkoutToken }: ForOrdering): Record<string, unknown> {
  const action = withToken(stored.order.payments.findLast(isOpen)?.action ?? null, checkoutToken);
  return withoutEmpty({
    ...heading(stored),
    qr_code: action?.type === 'qr' ? action.content : null,
    pay_url: action?.type === 'redirect' ? action.url : null,
    pickup_code: pickupCode,
  });
}

function heading(stored: StoredOrder) {
  const { order, row } = stored;
  const status = orderStatus(order);
  if (status === null) throw new VendingFailure('expired');
  return {
    order_id: row.number,
    trade_id: row.merchant_order_no,
    date: dayAt(order.createdAt, 'Asia/Shanghai'),
    amount: yuanOf(stored, order.total),
    status,
  };
}

const yuanOf = ({ order: { currency } }: StoredOrder, amount: number): string => decimalAmount({ amount, currency });
