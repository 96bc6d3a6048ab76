import { setMaxListeners } from 'node:events';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { authenticate } from './auth.ts';
import { buyerFormRoutes } from './buyer-forms.ts';
import { courseRoutes } from './course/routes.ts';
import { deliveryRoutes } from './delivery.ts';
import { describe } from './docs.ts';
import type { ApiDeps, Lifecycle, Pages } from './env.ts';
import { onError } from './errors.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { onceOnly } from './idempotency.ts';
import { doubting } from './doubting.ts';
import { impatient } from './impatience.ts';
import { machineReportRoutes } from './machine-reports.ts';
import { meRoutes } from './me.ts';
import { createMetrics } from './metrics.ts';
import { notificationRoutes } from './notifications.ts';
import { newRouter } from './operation.ts';
import { orderRoutes } from './orders.ts';
import { paymentRoutes } from './payments.ts';
import { personalDataRoutes } from './personal-data.ts';
import { pickupRoutes } from './pickup.ts';
import { notFound, Problem, problemResponse } from './problem.ts';
import { limitRate } from './rate-limit.ts';
import { refundRoutes } from './refunds.ts';
import { logRequests } from './request-log.ts';
import { secureHeaders } from './security-headers.ts';
import { findingRoutes } from './findings.ts';
import { statisticsRoutes } from './statistics.ts';
import { vendingRoutes } from './vending/routes.ts';
import { webhookEndpointRoutes } from './webhook-endpoints.ts';
import { webhookRoutes } from './webhooks.ts';

/** No name holds this character, and PostgreSQL takes it in no text. */
const NUL = '\u0000';

/** For an app that nobody stops: tests. */
const forEver = (): Lifecycle => ({ stopping: new AbortController().signal, background: new Set() });

/**
 * The whole API as one function from request to answer: `app.fetch(request)`, or `app.request('/v1/orders')`.
 * @param pages what people see, beside it
 */
export function createApp(deps: ApiDeps, lifecycle: Lifecycle = forEver(), pages?: Pages) {
  setMaxListeners(0, lifecycle.stopping); // As many as there are requests that wait for something.
  const { gateway: asked, unlessAway } = impatient(deps.gateway, deps.ready);
  const gateway = doubting(asked, { ...deps, ...lifecycle });
  const metrics = createMetrics(deps.registry, deps.db);
  const services = { ...deps, ...lifecycle, gateway, unlessAway, metrics };
  const app = newRouter();
  app.onError(onError);
  app.notFound(() => problemResponse(notFound()));
  app.use(logRequests(services));
  app.use(secureHeaders);
  app.use((c, next) => (c.req.path.includes(NUL) ? Promise.resolve(problemResponse(notFound())) : next()));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (_, methods) =>
        problemResponse(
          new Problem('method_not_allowed', `Here: ${methods.join(', ')}.`, { headers: { allow: methods.join(', ') } }),
        ),
    }),
  );
  const once = onceOnly(services);
  const identified = [authenticate(deps), ...(deps.rateLimit ? [limitRate(deps.rateLimit)] : [])];
  for (const calls of ['/v1/*', '/admin/*'])
    app.use(calls, ...identified, (c, next) => {
      c.set('once', once);
      return next();
    });
  for (const routes of [
    orderRoutes(services),
    paymentRoutes(services),
    refundRoutes(services),
    deliveryRoutes(services),
    pickupRoutes(services),
    eventRoutes(services),
    personalDataRoutes(services),
    webhookEndpointRoutes(services),
    notificationRoutes(services),
    meRoutes(),
    statisticsRoutes(services),
    findingRoutes(services),
    machineReportRoutes(services), // Before those of the providers, whose path would take them.
    webhookRoutes(services),
    vendingRoutes(services),
    courseRoutes(services),
    healthRoutes(services),
  ])
    app.route('/', routes);
  app.route('/', buyerFormRoutes(services));
  if (pages)
    app.route(
      '/',
      pages(services, async (request, caller) => app.fetch(request, caller && { caller })),
    );
  return describe(app, deps.publicUrl);
}
