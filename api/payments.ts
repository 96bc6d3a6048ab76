import { isIP } from 'node:net';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { keepBuyer } from '../db/buyers.ts';
import type { StoredOrder } from '../db/orders.ts';
import type { OrderId, PaymentId } from '../domain/ids.ts';
import { methodTerms, type Buyer } from '../domain/method.ts';
import { isOpen, type Payment as Attempt } from '../domain/order.ts';
import { paymentView } from '../domain/view.ts';
import { personOf, type Caller } from './caller.ts';
import type { ApiEnv, Services } from './env.ts';
import { currency, integerText, reason, text, webUrl } from './fields.ts';
import { newBuyerId } from './ids.ts';
import { body, json, newRouter, operation } from './operation.ts';
import { checkoutUrl, paymentBody } from './order-view.ts';
import { checkMethod, offeredMethods } from './payment-methods.ts';
import { invalid, notFound } from './problem.ts';
import { LIMITS } from '../domain/limits.ts';
import { listOf, MethodName, OfferedMethod, OrderPath, Payment, PaymentPath } from './schemas.ts';
import { ask, loadOrder } from './wishes.ts';

const tags = ['Payments'];

const methodsRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/payment-methods',
    operationId: 'listPaymentMethods',
    tags,
    summary: 'What can be paid with',
    description:
      'Every method, and why one is not on offer. A checkout token asks for its own order; what a key leaves out is ' +
      'not compared.',
    request: {
      query: z.strictObject({
        currency: currency().optional(),
        amount: integerText(0, LIMITS.amount).optional().openapi({ description: 'In the minor unit of `currency`' }),
      }),
    },
    responses: { 200: json('All methods', listOf(OfferedMethod)) },
  },
);

const OpenBody = z
  .strictObject({
    method: MethodName,
    return_url: webUrl().nullish().openapi({ description: 'Where the buyer goes then; not by checkout token' }),
    client_ip: z
      .string()
      .refine((ip) => isIP(ip) > 0, { error: 'No IP address.' })
      .nullish()
      .openapi({ description: "The buyer's; needed by h5" }),
    payer_id: text()
      .nullish()
      .openapi({ description: 'Who pays, as the provider calls them (openid); needed by jsapi and mini' }),
    auth_code: z
      .string()
      .regex(/^\d{10,32}$/, { error: "Not a buyer's bar code." })
      .nullish(),
  })
  .openapi({ example: { method: 'wechatpay.native' } });

const openRoute = operation(
  { scope: 'payments:write', customer: true },
  {
    method: 'post',
    path: '/v1/orders/{id}/payments',
    operationId: 'openPayment',
    tags,
    summary: 'Open a payment',
    description:
      'The same method while one is open answers that one; another method closes the open one first. Show the buyer ' +
      'what `action` says. After a 503 the same call again continues the attempt.',
    request: { params: OrderPath, body: body(OpenBody) },
    responses: { 201: json('The payment', Payment) },
  },
  [
    'order_expired',
    'invalid_state',
    'already_paid',
    'limit_reached',
    'payment_method_unavailable',
    'provider_error',
    'provider_unavailable',
  ],
);

const getRoute = operation(
  { scope: 'orders:read', customer: true },
  {
    method: 'get',
    path: '/v1/orders/{id}/payments/{payment_id}',
    operationId: 'getPayment',
    tags,
    summary: 'Read a payment',
    request: { params: PaymentPath },
    responses: { 200: json('The payment', Payment) },
  },
);

const resolveRoute = operation(
  { scope: 'payments:resolve' },
  {
    method: 'post',
    path: '/v1/orders/{id}/payments/{payment_id}/resolve',
    operationId: 'resolvePayment',
    tags,
    summary: 'Decide about disputed money',
    description:
      '`return` gives it back. `accept` pays the order with it, and gives back what is over; it needs at least the ' +
      "total, in the order's currency.",
    request: {
      params: PaymentPath,
      body: body(
        z
          .strictObject({ decision: z.enum(['return', 'accept']), note: reason() })
          .openapi({ example: { decision: 'return', note: 'paid one cent too little' } }),
      ),
    },
    responses: { 200: json('The payment', Payment) },
  },
  ['invalid_state'],
);

export const paymentRoutes = (services: Services) =>
  newRouter()
    .openapi(methodsRoute, async (c) => {
      const data = await offeredMethods(
        services,
        c.var.caller.merchant,
        await purposeOf(services, c, c.req.valid('query')),
      );
      return c.json({ data, next_cursor: null }, 200);
    })
    .openapi(openRoute, async (c) => {
      const { caller } = c.var;
      const asked = c.req.valid('json');
      if (caller.kind === 'customer' && asked.return_url)
        throw invalid({ path: 'return_url', message: 'Not by checkout token.' });
      const loaded = await loadOrder(services, caller, c.req.valid('param').id);
      return c.json(shown(services, c, await openAttempt(services, c, asked, loaded)), 201);
    })
    .openapi(getRoute, async (c) => {
      const { id, payment_id } = c.req.valid('param');
      const stored = await loadOrder(services, c.var.caller, id);
      return c.json(shown(services, c, attemptOf(stored, payment_id)), 200);
    })
    .openapi(resolveRoute, async (c) => {
      const { payment_id } = c.req.valid('param');
      const { stored } = await ask(services, c, {
        type: 'resolve_dispute',
        payment: payment_id as PaymentId,
        ...c.req.valid('json'),
        applicant: personOf(c.var.caller),
      });
      return c.json(shown(services, c, attemptOf(stored, payment_id)), 200);
    });

const shown = (services: Services, c: Context<ApiEnv>, payment: Attempt) =>
  paymentBody(services, c.var.caller, c.req.param('id') as OrderId, paymentView(payment));

/** What is to be paid: as asked, else what the customer's own order comes to. */
async function purposeOf(
  services: Services,
  c: Context<ApiEnv>,
  query: { currency?: string | undefined; amount?: number | undefined },
): Promise<{ currency: string | undefined; amount: number | undefined }> {
  const { caller } = c.var;
  const { currency: code, amount: sum } = query;
  if (caller.kind === 'key') return { currency: code, amount: sum };
  const { order } = await loadOrder(services, caller, caller.order);
  return { currency: code ?? order.currency, amount: sum ?? order.total };
}

/**
 * Opens an attempt for the order as it was read just now, or goes on with the open one of this method.
 * @throws Problem, Refused, ProviderProblem
 */
export async function openAttempt(
  services: Services,
  c: Context<ApiEnv>,
  asked: z.infer<typeof OpenBody>,
  loaded: StoredOrder,
): Promise<Attempt> {
  const { caller } = c.var;
  const { method } = asked;
  const buyer = buyerOf(asked, returnUrl(services, caller, loaded));
  const kept = Object.keys(buyer).length > 0 ? newBuyerId(services.now()) : null;
  const wish = { type: 'open_payment', method, askedAt: services.now(), ...(kept && { buyer: kept }) } as const;
  const { stored, granted } = await ask(services, c, wish, loaded, async () => {
    const { currency: code, total, id: order } = loaded.order;
    await checkMethod(services, caller.merchant, method, { currency: code, amount: total });
    if (kept) await keepBuyer(services.db, services.sealer, { id: kept, order, buyer });
  });
  const { payments } = stored.order;
  const payment = granted
    ? payments.find(({ id }) => id === granted.payment)
    : payments.findLast((p) => isOpen(p) && p.method === method);
  if (!payment) throw new Error(`order ${stored.order.id} has no payment ${granted?.payment}`);
  return payment;
}

/** Back to our own page for whoever came from there, or where the merchant named none of its own. */
function returnUrl(services: Services, { kind }: Caller, { order, row }: StoredOrder): string {
  const own = checkoutUrl(services, order.id);
  return kind === 'customer' ? own : (row.details.return_url ?? own);
}

/** What the provider is to be told, of what we were. @throws Problem for a field that the method needs */
function buyerOf(asked: z.infer<typeof OpenBody>, returnTo: string): Buyer {
  const { needs, takes } = methodTerms(asked.method);
  const known = { ...asked, return_url: asked.return_url ?? returnTo };
  const missing = needs.filter((field) => !known[field]);
  if (missing.length > 0) throw invalid(...missing.map((path) => ({ path, message: `Needed by ${asked.method}.` })));
  const fields = [...needs, ...takes].filter((field) => known[field]);
  return Object.fromEntries(fields.map((field) => [field, known[field]]));
}

function attemptOf({ order }: StoredOrder, id: string): Attempt {
  const payment = order.payments.find((one) => one.id === id);
  if (!payment) throw notFound();
  return payment;
}
