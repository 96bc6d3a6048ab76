import type { Context } from 'hono';
import type { CourseOrder } from '../../db/course-orders.ts';
import type { CourseUser } from '../../db/courses.ts';
import { listSums, rollUpSums, type AlbumSum } from '../../db/rollup.ts';
import type { ApiEnv, Services } from '../env.ts';
import { loggedWithHint } from '../errors.ts';
import { newRouter } from '../operation.ts';
import type { ProblemCode } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { courseRoutesDocs, rollUpRoute } from './docs.ts';
import { CourseFailure, type CourseFailureName } from './failures.ts';
import { albumIn, findOne, list, sums } from './finding.ts';
import { takeNotice, type Servicer } from './notices.ts';
import { order } from './ordering.ts';
import { readParams } from './params.ts';
import { openThirdBuyer } from './third-buyer.ts';
import { callerOf, identify } from './user.ts';
import { answered, courseOf, createdItem, orderItem, sumItem } from './view.ts';

/** The course shop's API: contract, section 4; seed 003. */
export function courseRoutes(services: Services) {
  const router = newRouter();
  for (const route of courseRoutesDocs) router.openAPIRegistry.registerPath(route);
  const call = (path: string, handler: (c: Context<ApiEnv>) => Promise<Response>) =>
    router.on(['GET', 'POST'], path, handler);
  const asUser = answering(services);
  const { now } = services;

  call(
    '/order/create',
    asUser(async (c, user, params) => answered([createdItem(await order(services, c, user, albumIn(params)))], now())),
  );
  call(
    '/order/get',
    asUser(async (_, user, params) => answered([itemOf(services, await findOne(services, user, params))], now())),
  );
  call(
    '/order/list',
    asUser(async (_, user, params) => {
      const { orders, count } = await list(services, user, params);
      return answered(
        orders.map((one) => itemOf(services, one)),
        now(),
        count,
      );
    }),
  );
  call(
    '/order/sum',
    asUser(async (_, user) => answered((await sums(services, user)).map(sumItem), now())),
  );
  call('/order/alipay', noticing(services, 'alipay'));
  call('/orders/wxpay', noticing(services, 'wechatpay'));
  return router.openapi(rollUpRoute, async (c) => {
    await rollUpSums(services.db, new Date(now()));
    const all: AlbumSum[] = await listSums(services.db, { merchant: c.var.caller.merchant.id });
    return c.json(answered(all.map(sumItem), now()), 200);
  });
}

const itemOf = ({ sealer }: Services, found: CourseOrder) =>
  orderItem(found, courseOf(found, openThirdBuyer(sealer, found.order.id, found.thirdBuyerId)));

type Deed = (c: Context<ApiEnv>, user: CourseUser, params: URLSearchParams) => Promise<unknown>;

/** What went wrong is said in the body, always with 200. */
function answering(services: Services) {
  const count = services.rateLimit && rateLimit(services.rateLimit);
  return (deed: Deed) =>
    async (c: Context<ApiEnv>): Promise<Response> => {
      try {
        const params = await readParams(c);
        const user = await identify(services, params, c.req.header('authorization'));
        const caller = callerOf(user);
        c.set('caller', caller);
        await count?.(caller);
        return c.json((await deed(c, user, params)) as object);
      } catch (error) {
        return c.json(failureOf(error, c).body);
      }
    };
}

/** How often anybody may make us ask a provider about one order. */
const ASKINGS_PER_MINUTE = 20;

/** Nobody signs in here: what is told counts by its proof. */
function noticing(services: Services, servicer: Servicer) {
  const count = services.rateLimit && rateLimit({ perMinute: ASKINGS_PER_MINUTE });
  const mayAsk = async (order: string) => count?.({ key: order });
  return async (c: Context<ApiEnv>): Promise<Response> => {
    try {
      await takeNotice(services, c, { servicer, params: await readParams(c), mayAsk });
      return c.json({ code: 0 });
    } catch (error) {
      return c.json(failureOf(error, c).body);
    }
  };
}

const MEANING: Partial<Record<ProblemCode, CourseFailureName>> = {
  invalid_request: 'invalid',
  payload_too_large: 'invalid',
  not_found: 'not_found',
};

function failureOf(error: unknown, c: Context<ApiEnv>): CourseFailure {
  return error instanceof CourseFailure ? error : new CourseFailure(MEANING[loggedWithHint(error, c).code] ?? 'broken');
}
