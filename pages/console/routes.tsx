import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { callerOf } from '../../api/auth.ts';
import type { ApiEnv, CallApi, Services } from '../../api/env.ts';
import { notFound } from '../../api/problem.ts';
import type { Scope } from '../../db/schema.ts';
import { answer, type Page } from '../answer.tsx';
import { apiFor, ApiProblem, apiProblemOf } from '../api.ts';
import { formFields } from '../form-fields.ts';
import { sameOriginOnly } from '../same-origin.ts';
import { languageOf, speaker } from '../speaker.ts';
import { withQuery } from '../with-query.ts';
import { ACTIONS, type Action } from './actions.ts';
import { attentionPage } from './attention.tsx';
import type { Operator } from './frame.tsx';
import { notificationsPage } from './notifications.tsx';
import { orderPage } from './order.tsx';
import { ordersPage, searchIn } from './orders.tsx';
import { refundsPage } from './refunds.tsx';
import { createSessions, type Sessions } from './session.ts';
import { signInPage } from './sign-in.tsx';
import { todayPage } from './today.tsx';
import { troublePage } from './trouble.tsx';

const FORM_BYTES = 64 * 1024;

type Show = (c: Context<ApiEnv>, operator: Operator) => Promise<Page>;

const PAGES: readonly [path: string, show: Show][] = [
  ['/console', (c, operator) => todayPage(operator, c.req.query('day'))],
  ['/console/refunds', (c, operator) => refundsPage(operator, c.req.query())],
  ['/console/attention', (c, operator) => attentionPage(operator, c.req.query())],
  ['/console/orders', (_, operator) => ordersPage(operator, searchIn({}))],
  ['/console/orders/:id', (c, operator) => orderPage(operator, c.req.param('id') ?? '', c.req.query('done'))],
  ['/console/notifications', (c, operator) => notificationsPage(operator, c.req.query())],
  ['/console/*', () => Promise.reject(notFound())],
];

/** The operators' pages: what the API answers to their key, and nothing else. */
export function consoleRoutes(services: Services, call: CallApi): Hono<ApiEnv> {
  const sessions = createSessions(services);
  const router = new Hono<ApiEnv>();
  router.onError((error, c) => failed(c, error));
  router.use('/console/*', sameOriginOnly(services.publicUrl), bodyLimit({ maxSize: FORM_BYTES }));
  addSignIn(router, sessions);

  /** For operators only: others sign in first. */
  const operatorOf = async (c: Context<ApiEnv>): Promise<Operator | null> => {
    const session = await sessions.find(c);
    if (!session) return null;
    const caller = callerOf(session.key);
    c.set('caller', caller);
    const { name, merchant, scopes } = session.key;
    return {
      say: speaker(languageOf(c.req.header('accept-language')), session.timeZone),
      api: apiFor(call, { caller }, c.var.requestId),
      name,
      merchant: merchant.name,
      timeZone: session.timeZone,
      may: (scope: Scope) => scopes.includes(scope),
      now: services.now(),
    };
  };
  const page = (show: Show) => async (c: Context<ApiEnv>) => {
    const operator = await operatorOf(c);
    return operator ? answer(c, operator.say, await show(c, operator)) : toSignIn(c, c.req.path);
  };
  for (const [path, show] of PAGES) router.get(path, page(show));
  router.post(
    '/console/orders',
    page(async (c, operator) => ordersPage(operator, searchIn(await formFields(c)))),
  );
  for (const action of ACTIONS)
    router.post(`/console${action.path}`, async (c) => {
      const operator = await operatorOf(c);
      return operator ? perform(c, operator, action) : toSignIn(c, '/console');
    });
  return router;
}

function addSignIn(router: Hono<ApiEnv>, sessions: Sessions): void {
  const say = (c: Context<ApiEnv>) => speaker(languageOf(c.req.header('accept-language')));
  router.get('/console/sign-in', (c) => {
    const back = ownPath(c.req.query('back'));
    return answer(c, say(c), signInPage(say(c), { back, wrong: null }));
  });
  router.post('/console/sign-in', async (c) => {
    const { key = '', time_zone = '', back: asked } = await formFields(c);
    const back = ownPath(asked);
    const outcome = await sessions.open(c, { key: key.trim(), timeZone: time_zone });
    if (outcome === 'signed_in') return c.redirect(back, 303);
    const w = say(c).console;
    if (outcome === 'wrong') return answer(c, say(c), signInPage(say(c), { back, wrong: w.signInWrong }), 401);
    c.header('retry-after', String(outcome.tooOftenSeconds));
    const wrong = w.signInTooOften(outcome.tooOftenSeconds);
    return answer(c, say(c), signInPage(say(c), { back, wrong }), 429);
  });
  router.post('/console/sign-out', async (c) => {
    await sessions.close(c);
    return c.redirect('/console/sign-in', 303);
  });
}

/** Where to go next is a page of the console, whatever a link says. */
const ownPath = (path: string | undefined): string => (/^\/console(\/[\w/]*)?$/.test(path ?? '') ? path! : '/console');
const toSignIn = (c: Context<ApiEnv>, back: string): Response =>
  c.redirect(withQuery('/console/sign-in', { back }), 303);

/** Asks the API for what a form says, and goes back to where it stood. */
async function perform(c: Context<ApiEnv>, operator: Operator, action: Action): Promise<Response> {
  const { idempotency_key, back, ...entered } = await formFields(c);
  try {
    await operator.api.post(c.req.path.replace(/^\/console/, '/v1'), action.body(entered), idempotency_key);
    return c.redirect(`${ownPath(back)}?done=${action.done}`, 303);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const page = troublePage(operator.say, { problem: error, action: action.done, back: ownPath(back) });
    return answer(c, operator.say, page, error.status as ContentfulStatusCode);
  }
}

async function failed(c: Context<ApiEnv>, error: Error): Promise<Response> {
  const say = speaker(languageOf(c.req.header('accept-language')));
  const problem = apiProblemOf(error);
  if (problem.status >= 500) c.var.log.error({ err: error }, 'a page could not be shown');
  return answer(
    c,
    say,
    troublePage(say, { problem, action: null, back: '/console' }),
    problem.status as ContentfulStatusCode,
  );
}
