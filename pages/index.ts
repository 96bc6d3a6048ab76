import { Hono } from 'hono';
import type { ApiEnv, CallApi, Services } from '../api/env.ts';
import { checkoutRoutes } from './checkout/routes.ts';
import { consoleRoutes } from './console/routes.tsx';
import { staticFiles } from './static.ts';

/** What people see: the checkout for customers, the console for operators. */
export const pages = (services: Services, call: CallApi): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .route('/', staticFiles())
    .route('/', checkoutRoutes(services, call))
    .route('/', consoleRoutes(services, call));
