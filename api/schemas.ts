import { z } from '@hono/zod-openapi';
import { METHODS, PROVIDERS, type PaymentMethod } from '../domain/method.ts';
import { NOTIFICATION_TYPES } from '../domain/notification.ts';
import { EVENT, ORDER, PAYMENT, REFUND, REFUND_IN_ORDER } from './examples.ts';
import { ACTOR_TYPES, FULFILMENTS } from '../domain/order.ts';
import { ATTENTION_CODES, type AttentionCode } from '../domain/attention.ts';

/** What the calls answer, word for word as the contract has it. */

const time = () => z.string().openapi({ format: 'date-time' });
const minor = (description: string) => z.int().openapi({ description, example: 1500 });

export const MethodName = z
  .enum(Object.keys(METHODS) as [PaymentMethod, ...PaymentMethod[]])
  .openapi('PaymentMethodName');
const ProviderNames = z.enum(PROVIDERS);
export const OrderStatus = z
  .enum(['awaiting_confirmation', 'pending_payment', 'paying', 'paid', 'processing', 'completed', 'cancelled'])
  .openapi('OrderStatus');
export const RefundStatusOfOrder = z
  .enum(['none', 'requested', 'pending', 'partial', 'full'])
  .openapi('OrderRefundStatus');
export const RefundStatusName = z
  .enum(['requested', 'rejected', 'approved', 'processing', 'succeeded', 'failed'])
  .openapi('RefundStatus');

const Action = z
  .union([
    z.object({ type: z.literal('redirect'), url: z.string() }),
    z.object({ type: z.literal('qr'), content: z.string() }),
    z.object({ type: z.literal('app'), params: z.record(z.string(), z.string()) }),
  ])
  .openapi('PaymentAction', { description: 'What to show the buyer; null once nothing can be paid here any more' });

export const Payment = z
  .object({
    id: z.string().openapi({ example: 'pay_01jv5r9x2c8m4t0q6h3w01' }),
    method: MethodName,
    out_trade_no: z.string().openapi({ description: 'Our number of it at the provider' }),
    provider_trade_no: z.string().nullable(),
    amount: minor('In the minor unit of the currency'),
    status: z.enum(['pending', 'processing', 'succeeded', 'disputed', 'failed', 'closed', 'refunded']),
    failure: z.string().nullable(),
    expires_at: time(),
    paid_at: time().nullable(),
    action: Action.nullable(),
  })
  .openapi('Payment', { example: PAYMENT });

const refundFields = {
  id: z.string().openapi({ example: 'ref_01jv5r9x2c8m4t0q6h3w' }),
  amount: minor('In the minor unit of the currency'),
  items: z.array(z.object({ item_id: z.string(), quantity: z.int(), amount: z.int() })).nullable(),
  reason: z.string().nullable(),
  origin: z.enum([
    'customer',
    'merchant',
    'cancellation',
    'delivery_failure',
    'duplicate_payment',
    'late_payment',
    'disputed_payment',
  ]),
  status: RefundStatusName,
  reviewer: z.string().nullable(),
  note: z.string().nullable(),
  out_refund_no: z.string().nullable(),
  failure: z.string().nullable(),
  created_at: time(),
  reviewed_at: time().nullable(),
  settled_at: time().nullable(),
};
const RefundInOrder = z.object(refundFields).openapi('RefundInOrder', { example: REFUND_IN_ORDER });
export const Refund = z.object({ order_id: z.string(), ...refundFields }).openapi('Refund', { example: REFUND });

const Tracking = z.object({ carrier: z.string(), number: z.string() });
export const OrderItem = z
  .object({
    id: z.string(),
    sku: z.string().nullable(),
    name: z.string(),
    quantity: z.int(),
    unit_amount: z.int().nullable().openapi({ description: "Null where the line's total does not divide" }),
    amount: minor("The line's total"),
    fulfilment: z.enum(FULFILMENTS),
    machine_no: z.string().nullable(),
    delivery: z.object({
      status: z.enum(['waiting', 'delivering', 'delivered', 'picked_up', 'failed', 'timed_out', 'refunded']),
      quantity_delivered: z.int(),
      tracking: Tracking.nullable(),
      updated_at: time().nullable(),
    }),
    refunded: z.object({ quantity: z.int(), amount: z.int() }),
  })
  .openapi('OrderItem');

const Attention = z.object({
  code: z.enum(Object.keys(ATTENTION_CODES) as [AttentionCode, ...AttentionCode[]]).openapi({
    description: Object.entries(ATTENTION_CODES)
      .map(([code, what]) => `\`${code}\`: ${what}`)
      .join(' '),
  }),
  since: time(),
});

export const Order = z
  .object({
    id: z.string().openapi({ example: 'ord_01jv5r9x2c8m4t0q6h3w' }),
    number: z.int(),
    merchant_order_no: z.string(),
    currency: z.string(),
    items: z.array(OrderItem),
    discount: z.int(),
    delivery_fee: z.int(),
    delivery: z
      .object({ name: z.string().nullable(), phone: z.string().nullable(), address: z.string().nullable() })
      .nullable(),
    customer: z.object({ id: z.string().nullable(), email: z.string().nullable() }).nullable(),
    confirm: z.boolean(),
    test: z.boolean(),
    return_url: z.string().nullable(),
    machine_no: z.string().nullable().openapi({ description: 'Null where items have none, or different ones' }),
    expires_in: z.int(),
    delivery_timeout: z
      .int()
      .nullable()
      .openapi({ description: 'In seconds; null where items have none, or each kind its own' }),
    auto_receipt_after: z.int(),
    refund_window: z.int(),
    metadata: z.record(z.string(), z.string()).nullable(),
    status: OrderStatus,
    cancel_reason: z.enum(['expired', 'customer', 'merchant', 'revoked', 'refunded']).nullable(),
    refund_status: RefundStatusOfOrder,
    amounts: z.object({
      items: z.int(),
      discount: z.int(),
      delivery_fee: z.int(),
      total: z.int(),
      paid: z.int(),
      refunded: z.int(),
    }),
    payments: z.array(Payment),
    refunds: z.array(RefundInOrder),
    pickup_code: z
      .string()
      .nullable()
      .openapi({ description: 'Only for the customer, and for keys with orders:write', example: '482019375' }),
    review: z.object({ rating: z.int(), comment: z.string().nullable() }).nullable(),
    checkout_url: z.string().nullable().openapi({
      description: "The customer's page of this order; null for keys without orders:write",
      example: 'https://orders.example.com/pay/ord_01jv5r9x2c8m4t0q6h3w?token=ct_…',
    }),
    attention: z.array(Attention),
    expires_at: time(),
    created_at: time(),
    paid_at: time().nullable(),
    received_at: time().nullable(),
    completed_at: time().nullable(),
    version: z.int().openapi({ description: 'Grows with every change; the ETag' }),
    workflow: z
      .object({
        id: z.string().openapi({ example: 'order/ord_01jv5r9x2c8m4t0q6h3w' }),
        run_id: z.string().nullable(),
        url: z.string().nullable().openapi({ description: 'The run in the Temporal UI' }),
      })
      .nullable()
      .openapi({ description: 'Null for customers' }),
  })
  .openapi('Order', { example: ORDER });
export type OrderBody = z.infer<typeof Order>;

export const Event = z
  .object({
    id: z.string(),
    seq: z.int(),
    type: z.string().openapi({ example: 'order.paid' }),
    at: time(),
    actor: z.object({
      type: z.enum(ACTOR_TYPES),
      name: z.string().nullable(),
    }),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi('Event', { example: EVENT });

export const OfferedMethod = z
  .object({
    method: MethodName,
    provider: ProviderNames,
    available: z.boolean(),
    reason: z
      .enum(['not_offered', 'not_configured', 'currency_not_supported', 'amount_too_small', 'amount_too_large'])
      .nullable()
      .openapi({ description: 'Why it is not available; null if it is' }),
  })
  .openapi('OfferedMethod', {
    example: { method: 'wechatpay.native', provider: 'wechatpay', available: false, reason: 'not_configured' },
  });

/** A page of a list. */
export const listOf = <S extends z.ZodType>(schema: S) =>
  z.object({
    data: z.array(schema),
    next_cursor: z.string().nullable().openapi({ description: 'For the next page; null on the last one' }),
  });

const id = (prefix: string, what: string) => z.string().openapi({ description: what, example: `${prefix}_…` });
export const OrderPath = z.object({ id: id('ord', "The order's id") });
export const PaymentPath = z.object({ ...OrderPath.shape, payment_id: id('pay', "The payment's id") });
export const RefundPath = z.object({ ...OrderPath.shape, refund_id: id('ref', "The refund's id") });
export const ItemPath = z.object({ ...OrderPath.shape, item_id: id('itm', "The item's id") });
export const NotificationTypeName = z.enum(NOTIFICATION_TYPES).openapi('NotificationType');
/** For calls that need nothing said. */
export const Nothing = z.strictObject({}).openapi({ example: {} });
