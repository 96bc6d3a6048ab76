import { z } from '@hono/zod-openapi';

/** How the OpenAPI document describes the vending machines' API. */

const tags = ['Vending machines'];
const common =
  "Called by an application: headers `Appid` and `AppSecret`. The body's `payload` is base64 of JSON; fields in it that " +
  'are not known are ignored. Always answers 200: `code` 0, or 40003 (认证失败), 40001 (参数错误), 40002 (时间戳无效: ' +
  'more than 300 s off), 40004 (订单不存在), 40005 (订单已过期), 50000 (系统错误; the same call again goes on), looked ' +
  'for in this order. Fields that are empty, zero or false are left out.';

const Envelope = z
  .object({ payload: z.string().openapi({ description: 'base64 of JSON in UTF-8' }) })
  .openapi('VendingRequest', {
    example: { payload: 'eyJtYWNoaW5lX25vIjoiMTYzMjcxMjkiLCJ0aW1lc3RhbXAiOiIxNzE0MTE1NzQyIn0=' },
  });

const Status = z.enum([
  'SUCCESS',
  'REFUND',
  'CLOSED',
  'REVOKED',
  'USERPAYING',
  'PAYERROR',
  'PICKUPCODE',
  'NOTPAY',
  'TESTPAY',
]);
const heading = {
  order_id: z.int().openapi({ description: "The order's `number`" }),
  trade_id: z.string(),
  date: z.string().openapi({ description: 'yyyy-mm-dd in Asia/Shanghai' }),
  amount: z.string().openapi({ description: 'Yuan' }),
  status: Status,
};
const Failure = z.strictObject({ code: z.int(), message: z.string(), data: z.strictObject({}) });
const Ordered = z.strictObject({
  ...heading,
  qr_code: z.string().optional(),
  pay_url: z.string().optional(),
  pickup_code: z.string().optional(),
});
const OrderRecord = z.strictObject({
  id: z.int(),
  product_id: z.int(),
  quantity: z.int(),
  price: z.string().openapi({ description: 'Yuan, of the line' }),
  status: z
    .enum(['WAITING_PICKED_UP', 'IS_PICKED_UP', 'IS_REFUND', 'IS_DELIVERING', 'IS_SUCCESS', 'IS_FAILED', 'IS_TIMEOUT'])
    .optional()
    .openapi({ description: 'Once the order is paid' }),
  notify_sent: z.enum(['0', '1']).openapi({ description: 'Whether its delivery was sent on' }),
});
const Queried = z.strictObject({
  ...heading,
  notify_send_count: z.int().optional(),
  records: z.array(OrderRecord),
  pickup_code_id: z.int().optional(),
});
const answer = (data: z.ZodType) =>
  z.union([z.strictObject({ code: z.literal(0), message: z.literal('ok'), data }), Failure]);

const BEGUN = { order_id: 54, trade_id: '3f2a58ad69b74e86b8a1a3da6fd75cc1', date: '2024-04-26', amount: '3.00' };
const PARAMS = z.object({ order_id: z.string().openapi({ description: "The order's `number`" }) });
const route = (path: string, description: string, example: Record<string, unknown>, data: z.ZodType) => ({
  method: 'post' as const,
  path,
  tags,
  security: [],
  description: `${description}\n\n${common}`,
  request: {
    ...(path.includes('{') && { params: PARAMS }),
    headers: z.object({ Appid: z.string(), AppSecret: z.string() }),
    body: { required: true, content: { 'application/json': { schema: Envelope } } },
  },
  responses: {
    200: {
      description: 'What was asked for, or what is wrong',
      content: {
        'application/json': { schema: answer(data).openapi({ example: { code: 0, message: 'ok', data: example } }) },
      },
    },
  },
});

export const orderingRoute = {
  ...route(
    '/api/openapi/v1/orders',
    'Payload: `machine_no`, `timestamp` (Unix seconds, a string), `trade_id` (1–64), `products` of `product_id`, ' +
      "`quantity` and `price` (the line's total, decimal yuan, a string); optional `pay_method` (`wechatpay.native` if " +
      'not given; `alipay.barcode` takes `auth_code`), `pickup_code` (goods for a code), `test`, `expires_in`. The same ' +
      '`trade_id` again is the same order. A payment that failed stays so: order anew under another `trade_id`.',
    { ...BEGUN, status: 'NOTPAY', qr_code: 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz' },
    Ordered,
  ),
  operationId: 'orderAtMachine',
  summary: 'Order at a vending machine, and open a payment',
};
export const queryRoute = {
  ...route(
    '/api/openapi/v1/orders/{order_id}',
    'Payload: `machine_no` and `timestamp` (Unix seconds, a string).',
    {
      ...BEGUN,
      status: 'SUCCESS',
      notify_send_count: 1,
      records: [{ id: 70, product_id: 121, quantity: 1, price: '1.00', status: 'IS_DELIVERING', notify_sent: '1' }],
    },
    Queried,
  ),
  operationId: 'queryOrderAtMachine',
  summary: 'Read an order of a vending machine',
};
