/** What the API's document shows of each answer: one order, paid, with half of it given back. A test judges their form. */

const ORDER_ID = 'ord_1m7zdnzs5b33wcrbnnr6';
const AT = {
  created: '2026-11-21T02:00:00.000Z',
  paid: '2026-11-21T02:01:02.000Z',
  reviewed: '2026-11-21T09:30:00.000Z',
  settled: '2026-11-21T09:30:04.000Z',
  expires: '2026-11-21T02:15:00.000Z',
};

export const PAYMENT = {
  id: 'pay_1m7zdnzs5b33wcrbnnr601',
  method: 'wechatpay.native',
  out_trade_no: '1m7zdnzs5b33wcrbnnr601',
  provider_trade_no: '4200002026112100000000000001',
  amount: 3300,
  status: 'succeeded',
  failure: null,
  expires_at: AT.expires,
  paid_at: AT.paid,
  action: null,
} as const;

export const REFUND_IN_ORDER = {
  id: 'ref_1m7zdnzs5b33wcrbnnr6_1',
  amount: 1650,
  items: [{ item_id: 'itm_1m7zdnzs5b33wcrbnnr60001', quantity: 1, amount: 1650 }],
  reason: 'one arrived broken',
  origin: 'customer',
  status: 'succeeded',
  reviewer: 'Han Meimei',
  note: 'photo seen',
  out_refund_no: '1m7zdnzs5b33wcrbnnr6r01',
  failure: null,
  created_at: AT.paid,
  reviewed_at: AT.reviewed,
  settled_at: AT.settled,
} as const;
export const REFUND = { order_id: ORDER_ID, ...REFUND_IN_ORDER } as const;

export const NEW_ORDER = {
  merchant_order_no: 'A-1001',
  currency: 'CNY',
  items: [{ sku: 'tea-01', name: 'Green tea', quantity: 2, unit_amount: 1500, fulfilment: 'shipment' }],
  discount: 500,
  delivery_fee: 800,
  delivery: { name: 'Li Lei', phone: '+86 138 0013 8000', address: '1 Example Road, Hangzhou' },
  customer: { id: 'u-1', email: 'lilei@example.com' },
  expires_in: 900,
  metadata: { channel: 'spring' },
} as const;

export const ORDER = {
  id: ORDER_ID,
  number: 1001,
  merchant_order_no: NEW_ORDER.merchant_order_no,
  currency: NEW_ORDER.currency,
  items: [
    {
      id: 'itm_1m7zdnzs5b33wcrbnnr60001',
      sku: 'tea-01',
      name: 'Green tea',
      quantity: 2,
      unit_amount: 1500,
      amount: 3000,
      fulfilment: 'shipment',
      machine_no: null,
      delivery: {
        status: 'delivered',
        quantity_delivered: 1,
        tracking: { carrier: 'SF Express', number: 'SF1234567890' },
        updated_at: AT.reviewed,
      },
      refunded: { quantity: 1, amount: 1650 },
    },
  ],
  discount: NEW_ORDER.discount,
  delivery_fee: NEW_ORDER.delivery_fee,
  delivery: NEW_ORDER.delivery,
  customer: NEW_ORDER.customer,
  confirm: true,
  test: false,
  return_url: null,
  expires_in: NEW_ORDER.expires_in,
  machine_no: null,
  delivery_timeout: null,
  auto_receipt_after: 1_209_600,
  refund_window: 15_552_000,
  metadata: NEW_ORDER.metadata,
  status: 'processing',
  cancel_reason: null,
  refund_status: 'partial',
  amounts: { items: 3000, discount: 500, delivery_fee: 800, total: 3300, paid: 3300, refunded: 1650 },
  payments: [PAYMENT],
  refunds: [REFUND_IN_ORDER],
  pickup_code: null,
  review: null,
  checkout_url: null,
  attention: [],
  expires_at: AT.expires,
  created_at: AT.created,
  paid_at: AT.paid,
  received_at: null,
  completed_at: null,
  version: 9,
  workflow: {
    id: `order/${ORDER_ID}`,
    run_id: '01a1fe05-8e00-7835-9399-a6f588c238d0',
    url: 'http://localhost:8233/namespaces/default/workflows/order%2Ford_1m7zdnzs5b33wcrbnnr6',
  },
} as const;

export const RELEASED = {
  order_id: ORDER_ID,
  items: [
    {
      ...ORDER.items[0],
      fulfilment: 'pickup',
      delivery: { status: 'picked_up', quantity_delivered: 2, tracking: null, updated_at: AT.reviewed },
      refunded: { quantity: 0, amount: 0 },
      quantity_released: 2,
    },
  ],
} as const;

export const EVENT = {
  id: 'evt_1m7zdnzs5b33wcrbnnr6000003',
  seq: 3,
  type: 'order.paid',
  at: AT.paid,
  actor: { type: 'provider', name: 'wechatpay' },
  data: { payment_id: PAYMENT.id, amount: PAYMENT.amount },
} as const;

export const ENDPOINT = {
  id: 'whe_01jv5r9x2c8m4t0q6h3w',
  url: 'https://shop.example.com/hooks/orders',
  types: ['order.paid', 'refund.succeeded'],
  status: 'enabled',
  created_at: AT.created,
} as const;

export const NOTIFICATION = {
  id: 'ntf_01jv5r9x2c8m4t0q6h3w',
  type: 'order.paid',
  order_id: ORDER_ID,
  endpoint_id: ENDPOINT.id,
  status: 'delivered',
  attempts: [{ at: AT.paid, status: 204, duration_ms: 87, error: null }],
  last_error: null,
  next_attempt_at: null,
  delivered_at: AT.paid,
  created_at: AT.paid,
} as const;
