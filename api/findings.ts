import { z } from '@hono/zod-openapi';
import { listFindings } from '../db/findings.ts';
import { PROVIDERS } from '../domain/method.ts';
import { FINDING_KINDS } from '../domain/reconciliation.ts';
import type { Services } from './env.ts';
import { cursorAfter, page, pageOf, readCursor, sizeOf } from './fields.ts';
import { json, newRouter, operation } from './operation.ts';
import { listOf } from './schemas.ts';

const Sums = z.array(z.object({ amount: z.int().openapi({ description: 'Minor units' }), currency: z.string() }));
const time = () => z.string().openapi({ format: 'date-time' });
const Finding = z
  .object({
    id: z.string(),
    kind: z.enum(FINDING_KINDS),
    provider: z.enum(PROVIDERS),
    day: z.string().openapi({ format: 'date', description: "Of the provider's statement" }),
    type: z.enum(['capture', 'refund']),
    reference: z.string().openapi({ description: "The provider's number of a payment, ours of a refund" }),
    out_trade_no: z.string().nullable(),
    order_id: z.string().nullable(),
    ours: Sums.openapi({ description: 'What our ledger has; nothing where it is missing here' }),
    theirs: Sums.openapi({ description: 'What the statement has; nothing where it is missing there' }),
    found_at: time(),
    closed_at: time().nullable(),
    closed_by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi('Finding', {
    example: {
      id: 'fnd_5f0c2f0f3a1e4b5c6d7e',
      kind: 'missing_here',
      provider: 'wechatpay',
      day: '2026-03-01',
      type: 'capture',
      reference: '4200001234202603011234567890',
      out_trade_no: 'till-7-0042',
      order_id: null,
      ours: [],
      theirs: [{ amount: 1500, currency: 'CNY' }],
      found_at: '2026-03-02T03:30:04.000Z',
      closed_at: null,
      closed_by: null,
      note: null,
    },
  });
export type FindingBody = z.infer<typeof Finding>;

const listRoute = operation(
  { scope: 'orders:read' },
  {
    method: 'get',
    path: '/v1/findings',
    operationId: 'listFindings',
    tags: ['Orders'],
    summary: "Where the ledger and the providers' statements do not agree, newest first",
    description: 'Compared once a day. `closed=true`: those too that were dealt with, or agree by now.',
    request: { query: z.strictObject({ closed: z.enum(['true', 'false']).optional(), ...page }) },
    responses: { 200: json('A page of findings', listOf(Finding)) },
  },
);

export const findingRoutes = (services: Services) =>
  newRouter().openapi(listRoute, async (c) => {
    const { closed, limit: asked, cursor } = c.req.valid('query');
    const limit = sizeOf(asked);
    const before = readCursor('findings', cursor);
    const rows = await listFindings(services.db, {
      merchant: c.var.caller.merchant.id,
      closedToo: closed === 'true',
      limit: limit + 1,
      ...(before !== undefined && { before }),
    });
    const shown = (row: (typeof rows)[number]): FindingBody => {
      const { number: _, order_number: _order, merchant_id: _merchant, found_at, closed_at, ...finding } = row;
      return { ...finding, found_at: found_at.toISOString(), closed_at: closed_at?.toISOString() ?? null };
    };
    return c.json(
      pageOf(rows, limit, shown, ({ number }) => cursorAfter('findings', number)),
      200,
    );
  });
