import { erasePersonalData } from '../db/personal.ts';
import { answerContext, type KeptAnswer } from './idempotency.ts';
import type { Services } from './env.ts';
import { newRouter, operation } from './operation.ts';
import { Problem } from './problem.ts';
import { OrderPath } from './schemas.ts';
import { loadOrder } from './wishes.ts';

const eraseRoute = operation(
  { scope: 'admin' },
  {
    method: 'delete',
    path: '/v1/orders/{id}/personal-data',
    operationId: 'erasePersonalData',
    tags: ['Orders'],
    summary: 'Erase personal data',
    description:
      'Of an order that has come to its end (completed or cancelled, nothing under way): name, phone, address and ' +
      'customer, and what people wrote about it (reasons, notes, details, the comment of the review), also in its ' +
      'events, in messages to the merchant and in answers kept for an Idempotency-Key. Amounts, times, ids, ' +
      'tracking numbers and the names of reviewers stay. Again: the same. Do not put personal data into `metadata`.',
    request: { params: OrderPath },
    responses: { 204: { description: 'Erased' } },
  },
  ['invalid_state'],
);

export const personalDataRoutes = (services: Services) =>
  newRouter().openapi(eraseRoute, async (c) => {
    const { order } = await loadOrder(services, c.var.caller, c.req.valid('param').id);
    const erased = await erasePersonalData(services.db, order.id, {
      now: new Date(services.now()),
      strip: (row) => strippedAnswer(services, row),
    });
    if (!erased) throw new Problem('invalid_state', 'The order has not come to its end.');
    return c.body(null, 204);
  });

function strippedAnswer({ sealer }: Services, row: { scope: string; key: string; answer: string }): string {
  const kept = sealer.open(row.answer, answerContext(row)) as KeptAnswer;
  const body = JSON.stringify(stripped(JSON.parse(kept.body) as Record<string, unknown>));
  return sealer.seal({ ...kept, body }, answerContext(row));
}

/** An answer is an order, one part of it, or a problem; the fields have the same names in all of them. */
function stripped(body: Record<string, unknown>): Record<string, unknown> {
  const without = { ...body };
  for (const field of ['customer', 'reason', 'note']) if (field in without) without[field] = null;
  if ('delivery' in without) without['delivery'] = null;
  if (without['review']) without['review'] = { ...(without['review'] as object), comment: null };
  if (Array.isArray(without['refunds']))
    without['refunds'] = without['refunds'].map((refund) => ({ ...refund, reason: null, note: null }));
  return without;
}
