import { describe, expect, it } from 'vitest';
import { albumMissing } from '../../../api/course/failures.ts';
import { answered, createdItem, orderItem, payStatus, sumItem, type Course } from '../../../api/course/view.ts';
import type { StoredOrder } from '../../../db/orders.ts';
import { openOrder } from '../../../domain/decide.ts';
import type { Order, Payment, PaymentStatus } from '../../../domain/order.ts';
import { newRefund } from '../../../domain/refund.ts';
import { failingForNow, given, money, pay, PAY_1, PAYABLE_AS, refundId, T0, terms } from '../../domain/support.ts';

const compact = (text: string) => JSON.stringify(JSON.parse(text));
const ADDED = Date.parse('2018-07-05T02:57:18Z');
const course: Course = {
  album: { id: 1, title: '我的直播课', price: 0 },
  buyer: { id: 1, name: '王小二' },
  publisher: { id: 1 },
  thirdBuyerId: null,
};
function stored(number: number, trade_no: string, amount = 0, change: Partial<Order> = {}): StoredOrder {
  const { order } = openOrder(terms({ items: [{ amount, fulfilment: 'digital' }], createdAt: ADDED }));
  return {
    order: { ...order, ...change },
    row: { number, merchant_order_no: trade_no },
    items: [{ name: '我的直播课' }],
  } as unknown as StoredOrder;
}

describe("the source's examples", () => {
  it('creating', () => {
    const items = [createdItem(stored(5, '5-9996-6d2d'))];
    expect(JSON.stringify(answered(items, 1_530_760_164_999))).toBe(
      compact(`{"code": 0, "data": {"count": 1, "ts": 1530760164, "items": [
        {"id": "5", "name": "我的直播课", "amount": "0.00", "trade_no": "5-9996-6d2d", "status": 2}]}}`),
    );
  });

  it('creating without an album', () => {
    expect(JSON.stringify(albumMissing().body)).toBe(compact('{"code": 4, "err_desc": "缺少订购内容参数"}'));
  });

  it('reading one', () => {
    // By the contract the number is never null, and what is free is paid: there the source's example differs.
    const items = [orderItem(stored(1, '1-1-6d2d'), course)];
    expect(JSON.stringify(answered(items, 1_530_765_028_000))).toBe(
      compact(`{"code": 0, "data": {"count": 1, "ts": 1530765028, "items": [{
        "id": "1", "user_id": "1", "puber_id": "1", "album_id": "1", "title": "我的直播课", "user_name": "王小二",
        "price": "0.00", "amount": "0.00", "servicer": null, "trade_no": "1-1-6d2d", "third_trade_no": null,
        "third_buyer_id": null, "pay_status": "2",
        "add_time": "2018-07-05 10:57:18", "pay_time": "2018-07-05 10:57:18"}]}}`),
    );
  });

  it('sums', () => {
    const until = new Date('2018-07-10T09:00:33Z');
    const items = [
      { id: 7, title: '测试点播', total: 1, until },
      { id: 2, title: '测试支付', total: 1, until },
      { id: 1, title: '测试支付', total: 2, until },
    ].map(sumItem);
    expect(JSON.stringify(answered(items, 1_531_213_233_000))).toBe(
      compact(`{"code": 0, "data": {"count": 3, "ts": 1531213233, "items": [
        {"album_id": "7", "title": "测试点播", "total": "0.01", "timestamp": "2018-07-10 17:00:33"},
        {"album_id": "2", "title": "测试支付", "total": "0.01", "timestamp": "2018-07-10 17:00:33"},
        {"album_id": "1", "title": "测试支付", "total": "0.02", "timestamp": "2018-07-10 17:00:33"}]}}`),
    );
  });
});

describe('an order that is to be paid', () => {
  const unpaid = stored(2, '2-1-aaaa', 9900).order;
  const attempt = (status: PaymentStatus): Payment => ({ status }) as Payment;
  const withAttempts = (...statuses: PaymentStatus[]) => payStatus({ ...unpaid, payments: statuses.map(attempt) });
  const paid: Order = {
    ...unpaid,
    status: 'completed',
    paidAt: T0,
    paidBy: PAY_1,
    payments: [
      {
        id: PAY_1,
        method: 'alipay.qr',
        status: 'succeeded',
        captures: [{ tradeNo: '2018', amount: 9900, currency: 'CNY', at: T0, use: 'order' }],
      } as unknown as Payment,
    ],
  };
  const refund = (amount: number) => ({
    ...newRefund(paid, { id: refundId('1'), amount, origin: 'merchant', applicant: 'a', reason: null }, T0),
    status: 'succeeded' as const,
  });

  it('has no time of payment, and status 0 while it may be paid', () => {
    const item = orderItem(stored(2, '2-1-aaaa', 9900), course);
    expect(item).toMatchObject({ amount: '99.00', pay_status: '0', pay_time: null, servicer: null });
    expect(createdItem(stored(2, '2-1-aaaa', 9900)).status).toBe(0);
  });

  it.each<[string, PaymentStatus[]]>([
    ['0', []],
    ['0', ['pending']],
    ['0', ['closed']],
    ['0', ['failed', 'pending']],
    ['0', ['pending', 'failed']],
    ['0', ['failed', 'closed']],
    ['4', ['failed']],
    ['4', ['closed', 'failed']],
    ['4', ['disputed']],
    ['0', ['processing', 'disputed']],
  ])('has status %s with attempts %j', (status, attempts) => expect(withAttempts(...attempts)).toBe(status));

  it('with attempts that wait has failed only once somebody has tried, and nothing else is open', () => {
    const waiting = { payableAs: PAYABLE_AS, items: [{ fulfilment: 'digital' as const }] };
    expect(payStatus(given(waiting).order)).toBe('0');
    const failed = given(waiting, failingForNow(PAY_1));
    expect(payStatus(failed.order)).toBe('4');
    expect(payStatus(failed.when(pay('alipay.wap')).order)).toBe('0');
    expect(payStatus(failed.when(money(PAY_1)).order)).toBe('2');
  });

  it('has status 2 once paid, until all of it went back', () => {
    expect(payStatus(paid)).toBe('2');
    expect(payStatus({ ...paid, refunds: [refund(100)] })).toBe('2');
    expect(payStatus({ ...paid, refunds: [refund(9900)] })).toBe('0');
  });

  it.each([
    ['wechatpay.native', '1'],
    ['alipay.wap', '2'],
    ['unionpay.qr', null],
  ] as const)('names who took the money: %s is %s', (method, servicer) => {
    const order = { ...paid, payments: [{ ...paid.payments[0]!, method }] };
    expect(orderItem({ ...stored(2, '2-1-aaaa'), order }, course)).toMatchObject({ servicer, third_trade_no: '2018' });
  });
});
