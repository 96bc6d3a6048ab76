import { z } from '@hono/zod-openapi';
import { json, operation } from '../operation.ts';

/** How the OpenAPI document describes the course shop's API. */

const tags = ['Course shop'];
const common =
  'By GET or POST, with parameters in the query or a form. Always answers 200: `code` 0, or 1 (系统错误; the same call ' +
  'again goes on), 2 (未登录), 3 (无权限), 4 (a parameter is missing), 5 (a parameter is wrong), 6 (not found), 7 (a ' +
  "payment's result is not confirmed), with `err_desc`. Times: Asia/Shanghai. Amounts: yuan.";
const byUser = ' Who asks is the parameter `token`, or the bearer token.';

const Failure = z.strictObject({ code: z.int(), err_desc: z.string() });
type Answer = { schema: z.ZodType; example: unknown };
const listed = (item: z.ZodType) =>
  z.strictObject({
    code: z.literal(0),
    data: z.strictObject({
      count: z.int().openapi({ description: 'All that match' }),
      ts: z.int().openapi({ description: 'Unix seconds' }),
      items: z.array(item),
    }),
  });
const listing = (item: z.ZodType, example: unknown): Answer => ({
  schema: listed(item),
  example: { code: 0, data: { count: 1, ts: 1_530_760_164, items: [example] } },
});

const Created = z.strictObject({
  id: z.string(),
  name: z.string(),
  amount: z.string(),
  trade_no: z.string().openapi({ description: 'Its number at WeChat Pay and Alipay (`out_trade_no`)' }),
  status: z.int().openapi({ description: '0: to be paid. 2: nothing is left to pay' }),
});
const Order = z.strictObject({
  id: z.string(),
  user_id: z.string(),
  puber_id: z.string(),
  album_id: z.string(),
  title: z.string(),
  user_name: z.string(),
  price: z.string(),
  amount: z.string(),
  servicer: z.enum(['1', '2']).nullable().openapi({ description: '1 WeChat Pay, 2 Alipay' }),
  trade_no: z.string(),
  third_trade_no: z.string().nullable(),
  third_buyer_id: z.string().nullable(),
  pay_status: z.enum(['0', '2', '4']).openapi({ description: '0 unpaid, 2 paid, 4 paying failed' }),
  add_time: z.string(),
  pay_time: z.string().nullable(),
});
const Sum = z.strictObject({
  album_id: z.string(),
  title: z.string(),
  total: z.string().openapi({ description: 'Paid less refunded' }),
  timestamp: z.string().openapi({ description: 'Of the latest roll-up' }),
});

const CREATED = { id: '5', name: '我的直播课', amount: '99.00', trade_no: '5-9996-6d2d', status: 0 };
const ORDER = {
  id: '5',
  user_id: '9996',
  puber_id: '1',
  album_id: '7',
  title: '我的直播课',
  user_name: '王小二',
  price: '99.00',
  amount: '99.00',
  servicer: '1',
  trade_no: '5-9996-6d2d',
  third_trade_no: '4200001234201807056666666666',
  third_buyer_id: null,
  pay_status: '2',
  add_time: '2018-07-05 10:57:18',
  pay_time: '2018-07-05 10:58:03',
};
const SUM = { album_id: '7', title: '我的直播课', total: '99.00', timestamp: '2018-07-10 17:00:33' };

const NAMES = {
  album_id: 'Of an album',
  id: 'Of an order; given both, this counts',
  trade_no: 'As answered by `/order/create`',
  time_para: '0 today, 1 yesterday, -7 and -30 the last days with today, 30 older than those of -30; none: all',
  page: 'From 1',
  page_size: '20 if not given, at most 100',
  result: '2 or SUCCESS: paid; anything else: not paid',
  third_trade_no: "The provider's number of the payment",
  third_buyer_id:
    "Who paid, as the provider calls them; kept if signed, or told with the provider's own third_trade_no",
  amount: 'Yuan, as in 99.00',
  sign:
    'Hex HMAC-SHA256, keyed with `COURSE_NOTIFY_SECRET`, over all other parameters except `token`, sorted by name, ' +
    'joined `k=v&k=v`, not URL-encoded',
  token: "A user's",
} as const;

type Described = { path: string; operationId: string; summary: string; description: string };

function described(
  { path, operationId, summary, description }: Described,
  names: readonly (keyof typeof NAMES)[],
  answer: Answer,
) {
  const params = z.object(
    Object.fromEntries(names.map((name) => [name, z.string().optional().openapi({ description: NAMES[name] })])),
  );
  const both = {
    path,
    tags,
    summary,
    security: [],
    description: `${description}\n\n${common}`,
    responses: {
      200: json(
        'What was asked for, or what is wrong',
        z.union([answer.schema, Failure]).openapi({ example: answer.example as never }),
      ),
    },
  };
  return [
    { ...both, method: 'get' as const, operationId, request: { query: params } },
    {
      ...both,
      method: 'post' as const,
      operationId: `${operationId}ByForm`,
      request: { body: { content: { 'application/x-www-form-urlencoded': { schema: params } } } },
    },
  ];
}

const notice = (path: string, operationId: string, provider: string) =>
  described(
    {
      path,
      operationId,
      summary: `Tell what a payment by ${provider} came to`,
      description:
        'Nobody signs in here. What is told counts if `sign` proves it, or if the provider says the same when it is asked; ' +
        'otherwise nothing changes.',
    },
    ['result', 'trade_no', 'third_trade_no', 'third_buyer_id', 'amount', 'sign'],
    { schema: z.strictObject({ code: z.literal(0) }), example: { code: 0 } },
  );

export const courseRoutesDocs = [
  ...described(
    {
      path: '/order/create',
      operationId: 'orderAlbum',
      summary: 'Order an album',
      description:
        'For students. Again while it is unpaid, or once the student has the album: the same order. It expires after two ' +
        'hours. It may be paid at WeChat Pay or Alipay under its `trade_no`, by whoever opens that there: it counts by ' +
        `itself.${byUser}`,
    },
    ['album_id', 'token'],
    listing(Created, CREATED),
  ),
  ...described(
    {
      path: '/order/get',
      operationId: 'getAlbumOrder',
      summary: 'Read an order',
      description: `By the student who bought, or the teacher whose album it is.${byUser}`,
    },
    ['id', 'trade_no', 'token'],
    listing(Order, ORDER),
  ),
  ...described(
    {
      path: '/order/list',
      operationId: 'listAlbumOrders',
      summary: 'List orders',
      description: `A teacher's: of their albums. A student's: their own. Newest first, unpaid ones too.${byUser}`,
    },
    ['album_id', 'time_para', 'page', 'page_size', 'token'],
    listing(Order, ORDER),
  ),
  ...described(
    {
      path: '/order/sum',
      operationId: 'sumAlbumOrders',
      summary: 'What albums have earned',
      description: `For teachers: up to the latest roll-up; albums without sales are left out.${byUser}`,
    },
    ['token'],
    listing(Sum, SUM),
  ),
  ...notice('/order/alipay', 'tellOfAlipay', 'Alipay'),
  ...notice('/orders/wxpay', 'tellOfWechatPay', 'WeChat Pay'),
];

export const rollUpRoute = operation(
  { scope: 'admin' },
  {
    method: 'post',
    path: '/admin/rollups/run',
    operationId: 'runRollups',
    tags,
    summary: "Bring the albums' sums up to date now",
    description: 'They are brought up to date every five minutes by themselves. Answers the sums of all albums.',
    responses: { 200: json('The sums', listed(Sum).openapi({ example: listing(Sum, SUM).example as never })) },
  },
);
