import type { CourseOrder } from '../../db/course-orders.ts';
import type { StoredOrder } from '../../db/orders.ts';
import type { AlbumSum } from '../../db/rollup.ts';
import { providerOf } from '../../domain/method.ts';
import { decimalAmount } from '../../domain/money.ts';
import { isLive, paymentOf, type Order } from '../../domain/order.ts';
import { fullyRefunded } from '../../domain/sums.ts';
import { isWaiting } from '../../domain/waiting-attempts.ts';
import { courseTime } from './time.ts';

/** Orders as course clients see them: keys, their order and their types as in the source's examples (seed 003). */

/** An order's course, its buyer and its publisher. `price`: fen. */
export type Course = {
  album: { id: number; title: string; price: number };
  buyer: { id: number; name: string };
  publisher: { id: number };
  /** The buyer's number at the provider, as the client told it. */
  thirdBuyerId: string | null;
};

/** As the order has it: an album may be named and priced anew. */
export const courseOf = (found: CourseOrder, thirdBuyerId: string | null): Course => ({
  album: { id: found.albumId, title: titleOf(found), price: found.items[0]?.unit_amount ?? found.order.total },
  buyer: found.student,
  publisher: { id: found.teacherId },
  thirdBuyerId,
});
const titleOf = ({ items: [album], order }: StoredOrder): string => album?.name ?? order.title;

/** @param now epoch milliseconds; `count`: all that match, not only those of this page */
export const answered = <T>(items: readonly T[], now: number, count: number = items.length) => ({
  code: 0 as const,
  data: { count, ts: Math.floor(now / 1000), items: [...items] },
});

/** The answer to ordering an album. `status` 2: nothing is left to pay. */
export const createdItem = (stored: StoredOrder) => ({
  id: String(stored.row.number),
  name: titleOf(stored),
  amount: yuan(stored.order.total),
  trade_no: stored.row.merchant_order_no,
  status: isBought(stored.order) ? 2 : 0,
});

export function orderItem({ row, order }: StoredOrder, { album, buyer, publisher, thirdBuyerId }: Course) {
  const payment = order.paidBy === null ? undefined : paymentOf(order, order.paidBy);
  return {
    id: String(row.number),
    user_id: String(buyer.id),
    puber_id: String(publisher.id),
    album_id: String(album.id),
    title: album.title,
    user_name: buyer.name,
    price: yuan(album.price),
    amount: yuan(order.total),
    servicer: payment ? (SERVICERS[providerOf(payment.method)] ?? null) : null,
    trade_no: row.merchant_order_no,
    third_trade_no: payment?.captures.find(({ use }) => use === 'order')?.tradeNo ?? null,
    third_buyer_id: thirdBuyerId,
    pay_status: payStatus(order),
    add_time: courseTime(order.createdAt),
    pay_time: order.paidAt === null ? null : courseTime(order.paidAt),
  };
}

const SERVICERS: Partial<Record<ReturnType<typeof providerOf>, '1' | '2'>> = { wechatpay: '1', alipay: '2' };

/** Paid, and not fully refunded: the buyer has the album. */
export const isBought = (order: Order): boolean =>
  order.paidAt !== null && order.status !== 'cancelled' && !fullyRefunded(order);

/** 2 paid, 4 payment error, 0 anything else. An attempt that only waits has not been tried. */
export function payStatus(order: Order): '0' | '2' | '4' {
  if (isBought(order)) return '2';
  const tried = order.payments.filter((payment) => !isWaiting(payment));
  const newest = tried.at(-1)?.status;
  const isError = newest === 'failed' || newest === 'disputed';
  return isError && !tried.some(isLive) ? '4' : '0';
}

export const sumItem = ({ id, title, total, until }: AlbumSum) => ({
  album_id: String(id),
  title,
  total: yuan(total),
  timestamp: courseTime(until.getTime()),
});

const yuan = (amount: number): string => decimalAmount({ amount, currency: 'CNY' });
