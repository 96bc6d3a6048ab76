/** How orders usually end, by the rules themselves: what a database is filled with. */
import { bookOf, eventRows, itemColumns, ledgerRows, orderColumns, paymentRows, refundRows } from '../db/rows.ts';
import type { Command } from '../domain/commands.ts';
import { decide, openOrder } from '../domain/decide.ts';
import { evolve } from '../domain/evolve.ts';
import { itemId, paymentId, type MerchantId, type OrderId, type RefundId } from '../domain/ids.ts';
import { SYSTEM } from '../domain/order.ts';

export const MERCHANT = 'demo' as MerchantId;
/** Stands in each id of the one order of a story, where each copy has a part of its own. */
export const KEY = '00000000000000000key';
const ORDER = `ord_${KEY}` as OrderId;
const REFUND = `ref_${KEY}` as RefundId;
const [ITEM, PAYMENT] = [itemId(ORDER, 0), paymentId(ORDER, 0)];
const MINUTE = 60_000;
/** Unpaid orders have expired, and applications for a refund are overdue. */
const LATER = 25 * 60 * MINUTE;
const TOTAL = 3000;

/** Of a hundred orders, those from `first` on and before `end` are of this kind. `rows`: as JSON. */
export type Story = { first: number; end: number; rows: object };

export function stories(createdAt: number): Story[] {
  const counts: [number, Command[]][] = [
    [60, [...paid(createdAt), arrived, received]],
    [20, [{ type: 'time_passed', by: SYSTEM }]],
    [10, [...paid(createdAt), { ...arrived, status: 'delivering' }]],
    [7, [...paid(createdAt), arrived, ...applied, ...refunded(createdAt), received]],
    [3, [...paid(createdAt), arrived, ...applied, { type: 'time_passed', by: SYSTEM }]],
  ];
  let first = 0;
  return counts.map(([count, commands]) => ({ first, end: (first += count), rows: rowsOf(createdAt, commands) }));
}

const merchant = { type: 'merchant', name: null } as const;
const provider = { type: 'provider', name: 'wechatpay' } as const;

const paid = (createdAt: number): Command[] => [
  { type: 'open_payment', method: 'wechatpay.native', by: merchant },
  { type: 'payment_opened', payment: PAYMENT, action: { type: 'qr', content: `weixin://wxpay/${KEY}` }, by: provider },
  {
    type: 'payment_found',
    payment: PAYMENT,
    finding: { state: 'paid', tradeNo: `4200${KEY}`, amount: TOTAL, currency: 'CNY', paidAt: createdAt + 2 * MINUTE },
    by: provider,
  },
];
const arrived = {
  type: 'delivery_reported',
  item: ITEM,
  status: 'delivered',
  quantity: null,
  dispatch: null,
  tracking: { carrier: 'SF', number: `SF${KEY}` },
  detail: null,
  by: merchant,
} as const;
const received = { type: 'confirm_receipt', by: merchant } as const;
const applied: Command[] = [
  {
    type: 'apply_refund',
    refund: REFUND,
    ask: { type: 'amount', amount: 1000 },
    reason: 'broken',
    origin: 'customer',
    applicant: 'customer',
    by: { type: 'customer', name: null },
  },
];
const reviewer = { key: 'key:reviewer', name: 'Reviewer' };
const refunded = (createdAt: number): Command[] => [
  { type: 'review_refund', refund: REFUND, decision: 'approve', reviewer, note: null, by: merchant },
  {
    type: 'refund_found',
    refund: REFUND,
    finding: { state: 'succeeded', settledAt: createdAt + 10 * MINUTE },
    by: provider,
  },
];

/** One command a minute; what only time brings, comes on the next day. */
function rowsOf(createdAt: number, commands: readonly Command[]): object {
  const opened = openOrder({
    id: ORDER,
    merchant: MERCHANT,
    title: 'Green tea',
    currency: 'CNY',
    items: [{ quantity: 2, amount: TOTAL, fulfilment: 'shipment', deliveryTimeoutSeconds: null, onFailure: 'ask' }],
    discount: 0,
    deliveryFee: 0,
    confirm: true,
    test: false,
    fourEyes: true,
    createdAt,
    expiresAt: createdAt + 15 * MINUTE,
    refundWindowSeconds: 15_552_000,
    autoReceiptAfterSeconds: 1_209_600,
  });
  let { order } = opened;
  const events = [...opened.events];
  for (const [index, command] of commands.entries()) {
    const at = createdAt + (command.type === 'time_passed' ? LATER : (index + 1) * MINUTE);
    const decision = decide(order, command, at);
    if ('refused' in decision) throw new Error(`${command.type}: ${decision.refused.detail}`);
    order = decision.events.reduce(evolve, order);
    events.push(...decision.events);
  }
  return {
    columns: orderColumns(order),
    book: bookOf(order),
    items: order.items.map((item, position) => ({ ...itemColumns(item, position), id: item.id, amount: item.amount })),
    payments: paymentRows(order),
    refunds: refundRows(order),
    ledger: ledgerRows(order),
    events: eventRows(order, 0, events),
  };
}
