import { describe, expect, it } from 'vitest';
import { withoutEmpty } from '../../../api/vending/omission.ts';
import { orderData, orderedData } from '../../../api/vending/view.ts';
import type { StoredOrder } from '../../../db/orders.ts';
import { openOrder } from '../../../domain/decide.ts';
import type { Order, Payment } from '../../../domain/order.ts';
import { T0, terms } from '../../domain/support.ts';

const checkoutToken = `ct_${'1jv5r9x2c8m4t0q6h3w0'}_${'x'.repeat(43)}`;

/** Golden: the answer of seed 002, byte by byte. */
const GOLDEN = `{
    "order_id": 54,
    "trade_id": "3f2a58ad69b74e86b8a1a3da6fd75cc1",
    "date": "2024-04-26",
    "amount": "3.00",
    "status": "SUCCESS",
    "notify_send_count": 1,
    "records": [
      {
        "id": 70,
        "product_id": 121,
        "quantity": 1,
        "price": "1.00",
        "status": "IS_DELIVERING",
        "notify_sent": "1"
      },
      {
        "id": 71,
        "product_id": 122,
        "quantity": 1,
        "price": "1.00",
        "status": "WAITING_PICKED_UP",
        "notify_sent": "0"
      },
      {
        "id": 72,
        "product_id": 131,
        "quantity": 1,
        "price": "1.00",
        "status": "WAITING_PICKED_UP",
        "notify_sent": "0"
      }
    ]
  }`;
const compact = (text: string) => JSON.stringify(JSON.parse(text));

/** Stored as the source's order would be; its first record is `sent`. */
function stored(change: Partial<Order> = {}, { sends = [1, 0, 0], pickup = null as StoredOrder['pickup'] } = {}) {
  const items = [1, 2, 3].map(() => ({ amount: 100, fulfilment: 'machine' as const }));
  const { order } = openOrder(terms({ items, createdAt: Date.parse('2024-04-26T07:00:00Z') }));
  const rows = [
    [70, '121'],
    [71, '122'],
    [72, '131'],
  ].map(([number, sku], index) => ({ number, sku, quantity: 1, amount: 100, sends: sends[index] }));
  const row = { number: 54, merchant_order_no: '3f2a58ad69b74e86b8a1a3da6fd75cc1' };
  return { order: { ...order, ...change }, row, items: rows, pickup } as unknown as StoredOrder;
}
function dispensing(): Partial<Order> {
  const [first, ...others] = stored().order.items;
  return { status: 'processing', paidAt: T0, items: [{ ...first!, status: 'delivering', sends: 1 }, ...others] };
}

describe('the answer to a query', () => {
  it('is the one of the source, key by key', () => {
    expect(JSON.stringify(orderData(stored(dispensing())))).toBe(compact(GOLDEN));
  });

  it('leaves out what is empty: no sendings, no status before it is paid', () => {
    const data = orderData(stored({}, { sends: [0, 0, 0] }));
    expect(Object.keys(data)).toEqual(['order_id', 'trade_id', 'date', 'amount', 'status', 'records']);
    expect(data['status']).toBe('NOTPAY');
    expect((data['records'] as object[]).map((record) => Object.keys(record))).toEqual(
      Array(3).fill(['id', 'product_id', 'quantity', 'price', 'notify_sent']),
    );
  });

  it('names the pick-up code by its number, last', () => {
    const data = orderData(stored({}, { pickup: { id: 9, code: 'sealed' } }));
    expect(Object.entries(data).at(-1)).toEqual(['pickup_code_id', 9]);
  });

  it('counts all sendings, also repeated ones', () => {
    expect(orderData(stored(dispensing(), { sends: [2, 1, 0] }))).toMatchObject({ notify_send_count: 3 });
  });

  it.each([
    ['2024-04-25T15:59:59.999Z', '2024-04-25'],
    ['2024-04-25T16:00:00Z', '2024-04-26'],
    ['2024-12-31T16:00:00Z', '2025-01-01'],
  ])('is of the day in Shanghai: %s is %s', (at, date) => {
    expect(orderData(stored({ createdAt: Date.parse(at) }))).toMatchObject({ date });
  });

  it('of an expired order is a failure', () => {
    const expired = stored({ status: 'cancelled', cancelReason: 'expired' });
    expect(() => orderData(expired)).toThrow('订单已过期');
    expect(() => orderedData(expired, { pickupCode: null, checkoutToken })).toThrow('订单已过期');
  });
});

describe('the answer to an ordering', () => {
  const open = (action: Payment['action'], status: Payment['status'] = 'pending') =>
    stored({ payments: [{ status, action, closingSince: null } as Payment] });

  it('has a QR code or a page to pay on, and a pick-up code', () => {
    const qr = orderedData(open({ type: 'qr', content: 'weixin://pay' }), { pickupCode: '482019375', checkoutToken });
    expect(Object.entries(qr).slice(4)).toEqual([
      ['status', 'NOTPAY'],
      ['qr_code', 'weixin://pay'],
      ['pickup_code', '482019375'],
    ]);
    const hidden = `https://pay.example?back=token%3D${checkoutToken.slice(0, 23)}_hidden`;
    const page = orderedData(open({ type: 'redirect', url: hidden }), { pickupCode: null, checkoutToken });
    expect(Object.keys(page)).toEqual(['order_id', 'trade_id', 'date', 'amount', 'status', 'pay_url']);
    expect(page['pay_url']).toBe(`https://pay.example?back=token%3D${checkoutToken}`);
  });

  it('shows nothing to pay once the attempt is over', () => {
    const closed = orderedData(open({ type: 'qr', content: 'weixin://pay' }, 'closed'), {
      pickupCode: null,
      checkoutToken,
    });
    expect(Object.keys(closed)).toEqual(['order_id', 'trade_id', 'date', 'amount', 'status']);
  });
});

it('empty, zero and false fields are left out, and nothing else', () => {
  const none = { a: '', b: 0, c: false, d: null, e: undefined, f: [] };
  const some = { z: '0', y: '0.00', x: 1, w: true, v: [{ u: 0, t: 1 }] };
  expect(JSON.stringify(withoutEmpty({ ...some, ...none }))).toBe('{"z":"0","y":"0.00","x":1,"w":true,"v":[{"t":1}]}');
});
