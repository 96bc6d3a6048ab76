import type { Context } from 'hono';
import type { Application } from '../../db/applications.ts';
import { listOrders, type StoredOrder } from '../../db/orders.ts';
import { readBytes } from '../body.ts';
import { checkoutToken } from '../checkout-token.ts';
import type { ApiEnv, Services } from '../env.ts';
import { loggedWithHint } from '../errors.ts';
import { newRouter } from '../operation.ts';
import { readPickupCode } from '../pickup-code.ts';
import type { ProblemCode } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { callerOf, identify } from './application.ts';
import { orderingRoute, queryRoute } from './docs.ts';
import { VendingFailure, type FailureName } from './failures.ts';
import { order } from './ordering.ts';
import { checkTime, readOrdering, readQuery } from './payload.ts';
import { orderData, orderedData } from './view.ts';

/** The vending machines' open API: contract, section 3; seed 002. */
export function vendingRoutes(services: Services) {
  const answered = answering(services);
  const router = newRouter();
  router.openAPIRegistry.registerPath(orderingRoute);
  router.openAPIRegistry.registerPath(queryRoute);
  router.post(
    '/api/openapi/v1/orders',
    answered(async (c, application) => {
      const stored = await order(services, c, application, readOrdering(await readBytes(c)));
      const { pickup, order: ordered } = stored;
      c.set('order', ordered.id);
      const { sealer } = services;
      return orderedData(stored, {
        pickupCode: pickup && readPickupCode(sealer, ordered.id, pickup.code),
        checkoutToken: checkoutToken(sealer, ordered.id),
      });
    }),
  );
  const query = answered(async (c, application) => {
    const payload = readQuery(await readBytes(c));
    checkTime(payload, services.now());
    const stored = await find(services, application, c.req.param('order_id') ?? '');
    if (stored?.row.details.machine_no !== payload.machine_no) throw new VendingFailure('not_found');
    c.set('order', stored.order.id);
    return orderData(stored);
  });
  router.post('/api/openapi/v1/orders/:order_id', query);
  // …/orders/ and …/orders/1/2 are no number either.
  router.post('/api/openapi/v1/orders/*', query);
  return router;
}

/** Null if it is no order of this application. */
async function find({ db }: Services, { id, merchant }: Application, number: string): Promise<StoredOrder | null> {
  if (!/^[1-9]\d{0,14}$/.test(number)) return null;
  const [stored] = await listOrders(db, { merchant: merchant.id, number: Number(number), limit: 1 });
  return stored?.row.details.application === id ? stored : null;
}

type Deed = (c: Context<ApiEnv>, application: Application) => Promise<Record<string, unknown>>;

/** Always 200: what went wrong is said in the body. */
function answering(services: Services) {
  const count = services.rateLimit && rateLimit(services.rateLimit);
  return (deed: Deed) =>
    async (c: Context<ApiEnv>): Promise<Response> => {
      try {
        const application = await identify(services, c);
        const caller = callerOf(application);
        c.set('caller', caller);
        await count?.(caller);
        return c.json({ code: 0, message: 'ok', data: await deed(c, application) });
      } catch (error) {
        return c.json(failureOf(error, c).body);
      }
    };
}

const MEANING: Partial<Record<ProblemCode, FailureName>> = {
  invalid_request: 'invalid',
  payload_too_large: 'invalid',
  payment_method_unavailable: 'invalid',
  not_found: 'not_found',
  order_expired: 'expired',
};

function failureOf(error: unknown, c: Context<ApiEnv>): VendingFailure {
  return error instanceof VendingFailure
    ? error
    : new VendingFailure(MEANING[loggedWithHint(error, c).code] ?? 'broken');
}
