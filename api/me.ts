import { z } from '@hono/zod-openapi';
import { json, newRouter, operation } from './operation.ts';

const Me = z
  .object({
    type: z.enum(['merchant', 'operator', 'customer']),
    name: z.string().nullable().openapi({ description: "The key's name, an operator's own; null for a customer" }),
    merchant: z.object({ id: z.string(), name: z.string() }),
    scopes: z.array(z.string()).openapi({ description: 'What the key may do; a checkout token has none' }),
    order_id: z.string().nullable().openapi({ description: "A checkout token's order" }),
  })
  .openapi('Me', {
    example: {
      type: 'operator',
      name: 'Han Meimei',
      merchant: { id: 'demo', name: 'Demo Shop' },
      scopes: ['orders:read', 'refunds:review'],
      order_id: null,
    },
  });
export type Me = z.infer<typeof Me>;

const meRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/me',
    operationId: 'whoAmI',
    tags: ['Keys'],
    summary: 'Whose key this is',
    responses: { 200: json('The merchant, the person, and what the key may do', Me) },
  },
);

export const meRoutes = () =>
  newRouter().openapi(meRoute, (c) => {
    const { caller } = c.var;
    const { id, name } = caller.merchant;
    const type = caller.actor.type as Me['type'];
    const common = { type, name: caller.actor.name, merchant: { id, name } };
    if (caller.kind === 'customer') return c.json({ ...common, scopes: [], order_id: caller.order }, 200);
    return c.json({ ...common, scopes: [...caller.scopes], order_id: null }, 200);
  });
