import { z } from '@hono/zod-openapi';
import { countStatistics } from '../db/statistics.ts';
import type { Services } from './env.ts';
import { instantIn } from './fields.ts';
import { json, newRouter, operation } from './operation.ts';
import { invalid } from './problem.ts';
import { MethodName } from './schemas.ts';

const LONGEST_DAYS = 31;
const DAY_MS = 86_400_000;

const count = () => z.int().openapi({ example: 12 });
const amount = () => z.int().openapi({ description: 'In the minor unit of the currency', example: 45_000 });
const Statistics = z
  .object({
    from: z.string().openapi({ format: 'date-time' }),
    to: z.string().openapi({ format: 'date-time' }),
    orders: count().openapi({ description: 'Created' }),
    expired: count(),
    paid: z.array(
      z.object({
        currency: z.string(),
        method: MethodName.nullable().openapi({ description: 'Null where nothing had to be paid' }),
        count: count(),
        amount: amount(),
      }),
    ),
    waiting: z
      .object({ refunds: count(), attention: count() })
      .openapi({ description: 'At the moment: refunds to be decided, orders that need attention' }),
    refunded: z.array(z.object({ currency: z.string(), count: count(), amount: amount() })),
  })
  .openapi('Statistics', {
    example: {
      from: '2026-03-01T00:00:00.000Z',
      to: '2026-03-02T00:00:00.000Z',
      orders: 14,
      expired: 2,
      paid: [{ currency: 'CNY', method: 'wechatpay.native', count: 12, amount: 45_000 }],
      waiting: { refunds: 1, attention: 0 },
      refunded: [{ currency: 'CNY', count: 1, amount: 1500 }],
    },
  });
export type StatisticsBody = z.infer<typeof Statistics>;

const statisticsRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/statistics',
    operationId: 'getStatistics',
    tags: ['Orders'],
    summary: 'What happened in a time',
    description:
      `Counts and sums of what happened between \`from\` (inclusive) and \`to\` (exclusive), at most ${LONGEST_DAYS} ` +
      'days: orders created, paid, expired, refunds that arrived. Refunds count as in `amounts.refunded`: money that ' +
      'was never the order’s, or a test order’s, is left out. For people to look at; the books are the ledger.',
    request: { query: z.strictObject({ from: instantIn(), to: instantIn() }) },
    responses: { 200: json('The figures', Statistics) },
  },
);

export const statisticsRoutes = (services: Services) =>
  newRouter().openapi(statisticsRoute, async (c) => {
    const { from, to } = c.req.valid('query');
    if (to <= from) throw invalid({ path: 'to', message: 'Must be later than from.' });
    if (to.getTime() - from.getTime() > LONGEST_DAYS * DAY_MS)
      throw invalid({ path: 'to', message: `At most ${LONGEST_DAYS} days after from.` });
    const counted = await countStatistics(services.db, { merchant: c.var.caller.merchant.id, from, to });
    return c.json({ from: from.toISOString(), to: to.toISOString(), ...counted }, 200);
  });
