import { describe, expect, it } from 'vitest';
import { orderStatus, recordStatus, type VendingStatus } from '../../../api/vending/states.ts';
import { openOrder } from '../../../domain/decide.ts';
import type { DeliveryStatus, Order, Payment, PaymentStatus, Refund, RefundStatus } from '../../../domain/order.ts';
import { newRefund } from '../../../domain/refund.ts';
import { view, type OrderView } from '../../../domain/view.ts';
import { refundId, T0, terms } from '../../domain/support.ts';

const TOTAL = 300;

/** The table of the contract, row by row, in what the native API shows; the first that fits. */
const TABLE: [(order: OrderView, is: { test: boolean; pickup: boolean }) => boolean, VendingStatus | null][] = [
  [(_, { test }) => test, 'TESTPAY'],
  [({ status, cancel_reason }) => status === 'cancelled' && cancel_reason === 'expired', null],
  [({ status, cancel_reason }) => status === 'cancelled' && cancel_reason === 'refunded', 'REFUND'],
  [({ refund_status }) => refund_status === 'full', 'REFUND'],
  [(order) => refundsAllThatIsLeft(order), 'REFUND'],
  [({ status, cancel_reason }) => status === 'cancelled' && cancel_reason === 'revoked', 'REVOKED'],
  [({ status }) => status === 'cancelled', 'CLOSED'],
  [({ status }, { pickup }) => isPaid(status) && pickup, 'PICKUPCODE'],
  [({ status }) => isPaid(status), 'SUCCESS'],
  [({ status }) => status === 'paying', 'USERPAYING'],
  [(order) => order.status === 'pending_payment' && newestFailedAndNoneOpen(order), 'PAYERROR'],
  [() => true, 'NOTPAY'],
];
const isPaid = (status: string) => ['paid', 'processing', 'completed'].includes(status);
const newestFailedAndNoneOpen = ({ payments }: OrderView): boolean =>
  payments.at(-1)?.status === 'failed' && payments.every(({ status }) => !['pending', 'processing'].includes(status));
const OWN = ['customer', 'merchant', 'cancellation', 'delivery_failure'];
function refundsAllThatIsLeft({ amounts, refunds }: OrderView): boolean {
  const underWay = refunds
    .filter(({ origin, status }) => OWN.includes(origin) && ['approved', 'processing'].includes(status))
    .reduce((sum, { amount }) => sum + amount, 0);
  return underWay > 0 && underWay === amounts.paid - amounts.refunded;
}
const asTheTableSays = (order: Order): VendingStatus | null => {
  const is = { test: order.test, pickup: order.items.some(({ fulfilment }) => fulfilment === 'pickup') };
  return TABLE.find(([fits]) => fits(view(order), is))![1];
};

type Base = { test: boolean; fulfilment: 'machine' | 'pickup' };
const opened = ({ test, fulfilment }: Base): Order =>
  openOrder(terms({ test, items: [{ amount: TOTAL, fulfilment }] })).order;

const BASES: Base[] = [false, true].flatMap((test) =>
  (['machine', 'pickup'] as const).map((fulfilment) => ({ test, fulfilment })),
);
const LIVES: Partial<Order>[] = [
  { status: 'awaiting_confirmation', paidAt: null },
  { status: 'pending_payment', paidAt: null },
  { status: 'paid', paidAt: T0 },
  { status: 'processing', paidAt: T0 },
  { status: 'completed', paidAt: T0 },
  ...(['expired', 'customer', 'merchant', 'revoked', 'refunded'] as const).flatMap((cancelReason) =>
    [null, T0].map((paidAt) => ({ status: 'cancelled' as const, cancelReason, paidAt })),
  ),
];
const PAYMENT_STATUSES: PaymentStatus[] = [
  'pending',
  'processing',
  'succeeded',
  'disputed',
  'failed',
  'closed',
  'refunded',
];
const attempt = (status: PaymentStatus): Payment =>
  ({
    status,
    captures: [],
    closingSince: null,
    action: null,
    expiresAt: T0,
    paidAt: null,
    foreignNoticeAt: null,
  }) as unknown as Payment;
const NEWEST_AND_BEFORE: PaymentStatus[][] = [
  [],
  ...PAYMENT_STATUSES.map((one) => [one]),
  ...PAYMENT_STATUSES.flatMap((one) => PAYMENT_STATUSES.map((next) => [one, next])),
];
const REFUND_STATUSES: RefundStatus[] = ['requested', 'rejected', 'approved', 'processing', 'succeeded', 'failed'];
type OneRefund = Pick<Refund, 'status' | 'amount' | 'origin'>;
const OWN_REFUND: OneRefund[] = REFUND_STATUSES.flatMap((status) =>
  [100, 200, TOTAL].map((amount) => ({ status, amount, origin: 'merchant' as const })),
);
const RETURN: OneRefund[] = REFUND_STATUSES.map((status) => ({ status, amount: TOTAL, origin: 'late_payment' }));
const REFUNDS: OneRefund[][] = [
  [],
  ...[...OWN_REFUND, ...RETURN].map((one) => [one]),
  ...OWN_REFUND.flatMap((one) => [...OWN_REFUND, RETURN[2]!].map((next) => [one, next])),
].filter((refunds) => held(refunds) <= TOTAL);
function held(refunds: OneRefund[]): number {
  const counted = refunds.filter(({ status, origin }) => origin === 'merchant' && !/rejected|failed/.test(status));
  return counted.reduce((sum, { amount }) => sum + amount, 0);
}
const made = (order: Order, { status, amount, origin }: OneRefund, index: number): Refund => ({
  ...newRefund(order, { id: refundId(String(index)), amount, origin, applicant: 'a', reason: null }, T0),
  status,
});

/** Those whose status isn't what the table says. */
const wrong = (orders: Order[]): Order[] => orders.filter((order) => orderStatus(order) !== asTheTableSays(order));

describe('the status of an order', () => {
  it('is the first of the table that fits, whatever its payments', () => {
    const orders = BASES.flatMap((base) =>
      LIVES.flatMap((life) =>
        NEWEST_AND_BEFORE.map((payments): Order => ({ ...opened(base), ...life, payments: payments.map(attempt) })),
      ),
    );
    expect(wrong(orders)).toEqual([]);
    expect(new Set(orders.map(orderStatus))).toEqual(new Set(TABLE.map(([, status]) => status)));
  });

  it('is the first of the table that fits, whatever its refunds', () => {
    const orders = BASES.filter(({ test }) => !test).flatMap((base) =>
      LIVES.flatMap((life) => {
        const plain: Order = { ...opened(base), ...life };
        return REFUNDS.map((refunds) => ({ ...plain, refunds: refunds.map((one, index) => made(plain, one, index)) }));
      }),
    );
    expect(wrong(orders)).toEqual([]);
  });

  it('is REFUND also while a failed refund is tried again by itself', () => {
    const paid: Order = { ...opened({ test: false, fulfilment: 'machine' }), status: 'paid', paidAt: T0 };
    const failed = made(paid, { status: 'failed', amount: TOTAL, origin: 'delivery_failure' }, 0);
    expect(orderStatus({ ...paid, refunds: [{ ...failed, retryAt: T0 }] })).toBe('REFUND');
    expect(orderStatus({ ...paid, refunds: [failed] })).toBe('SUCCESS');
  });
});

describe('the status of a record', () => {
  const STATES: [DeliveryStatus, string][] = [
    ['waiting', 'WAITING_PICKED_UP'],
    ['delivering', 'IS_DELIVERING'],
    ['delivered', 'IS_SUCCESS'],
    ['picked_up', 'IS_PICKED_UP'],
    ['failed', 'IS_FAILED'],
    ['timed_out', 'IS_TIMEOUT'],
    ['refunded', 'IS_REFUND'],
  ];
  it.each(STATES)('%s is %s, once the order is paid', (status, shown) => {
    const unpaid = opened({ test: false, fulfilment: 'machine' });
    const item = { ...unpaid.items[0]!, status };
    expect(recordStatus({ ...unpaid, paidAt: T0 }, item)).toBe(shown);
    expect(recordStatus(unpaid, item)).toBeNull();
  });
});
