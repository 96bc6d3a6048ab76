import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ApiEnv, CallApi, Services } from '../../api/env.ts';
import { answer } from '../answer.tsx';
import {
  apiFor,
  ApiProblem,
  apiProblemOf,
  type Api,
  type List,
  type Me,
  type OfferedMethod,
  type OrderBody,
  type Payment,
} from '../api.ts';
import { clientAddress } from '../client-address.ts';
import { formFields } from '../form-fields.ts';
import { sameOriginOnly } from '../same-origin.ts';
import { languageOf, speaker, type Speaker } from '../speaker.ts';
import { deviceOf } from './devices.ts';
import { formBody } from './forms.ts';
import { checkoutPage, leavingPage, noOrderPage } from './page.tsx';
import { isWebAddress } from './pay.tsx';
import { pathOf, type CheckoutView, type FormName } from './view.tsx';

const FORM_BYTES = 256 * 1024;
const FORMS: readonly FormName[] = ['confirm', 'cancel', 'payments', 'refunds', 'receipt', 'review'];

/** The customer's pages. What a token may see and do is the API's business: nothing is known here but its answers. */
export function checkoutRoutes(services: Services, call: CallApi): Hono<ApiEnv> {
  const visit = (c: Context<ApiEnv>): Visit => {
    const token = (c.req.query('token') ?? '').replace(/[^\w-]/g, ''); // What else it holds is no header's text.
    return { c, token, id: c.req.param('id') ?? '', say: speakerOf(c), api: apiFor(call, { token }, c.var.requestId) };
  };
  const router = new Hono<ApiEnv>();
  router.onError(async (error, c) => failed(c, error));
  router.get('/pay/:id', (c) => show(services, visit(c), null));
  // A provider may send the buyer back by a form of its own. What it says in it is not asked: only the order counts.
  router.post('/pay/:id', (c) => c.redirect(addressOf(visit(c)), 303));
  router.get('/pay/:id/events', (c) => {
    const { api, id } = visit(c);
    return api.events(`/v1/orders/${id}/events`, c.req.header('last-event-id'));
  });
  router.get('/pay/:id/payments/:payment', (c) => leave(visit(c), c.req.param('payment')));
  router.use('/pay/:id/:form', sameOriginOnly(services.publicUrl), bodyLimit({ maxSize: FORM_BYTES }));
  for (const form of FORMS) router.post(`/pay/:id/${form}`, (c) => send(services, visit(c), form));
  return router;
}

type Visit = { c: Context<ApiEnv>; token: string; id: string; say: Speaker; api: Api };

const speakerOf = (c: Context<ApiEnv>): Speaker => speaker(languageOf(c.req.header('accept-language')));
const addressOf = ({ id, token }: Visit, rest = ''): string => pathOf({ order: { id }, token }, rest);

async function show(services: Services, visit: Visit, refused: CheckoutView['refused']): Promise<Response> {
  const { c, say } = visit;
  const page = checkoutPage(await look(services, visit, refused));
  return answer(c, say, page, (refused?.problem.status ?? 200) as ContentfulStatusCode);
}

async function look(
  { now }: Services,
  { c, api, id, say, token }: Visit,
  refused: CheckoutView['refused'],
): Promise<CheckoutView> {
  const [order, me] = await Promise.all([api.get<OrderBody>(`/v1/orders/${id}`), api.get<Me>('/v1/me')]);
  const isUnpaid = order.paid_at === null && order.status !== 'cancelled';
  const offered = isUnpaid ? (await api.get<List<OfferedMethod>>('/v1/payment-methods')).data : [];
  const device = deviceOf({ userAgent: c.req.header('user-agent'), mobileHint: c.req.header('sec-ch-ua-mobile') });
  return { say, order, shop: me.merchant.name, offered, device, now: now(), token, refused };
}

/** What a form asks for is asked of the API; then the page is shown anew, so that a reload sends nothing again. */
async function send(services: Services, visit: Visit, form: FormName): Promise<Response> {
  const { c, api, id } = visit;
  const { idempotency_key, ...entered } = await formFields(c);
  try {
    const body = formBody(form, entered, clientAddress(c));
    const answered = await api.post<Partial<Payment>>(`/v1/orders/${id}/${form}`, body, idempotency_key);
    const goesOn = form === 'payments' && answered.action?.type === 'redirect';
    return c.redirect(addressOf(visit, goesOn ? `/payments/${answered.id}` : ''), 303);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return show(services, visit, { problem: error, form, entered });
  }
}

/** To the provider's page. A redirect of a form would need every provider's address in the form-action of our policy. */
async function leave(visit: Visit, payment: string): Promise<Response> {
  const { c, api, id, say } = visit;
  const { action, method } = await api.get<Payment>(`/v1/orders/${id}/payments/${payment}`);
  if (action?.type !== 'redirect' || !isWebAddress(action.url)) return c.redirect(addressOf(visit), 303);
  const { href } = new URL(action.url);
  c.header('refresh', `0; url=${href}`);
  return answer(c, say, leavingPage({ say, order: { id }, token: visit.token }, say.terms.methods[method], href));
}

async function failed(c: Context<ApiEnv>, error: Error): Promise<Response> {
  const { status } = apiProblemOf(error);
  if (status >= 500) c.var.log.error({ err: error }, 'a page could not be shown');
  const isUnknown = status === 401 || status === 404;
  return answer(
    c,
    speakerOf(c),
    noOrderPage(speakerOf(c), isUnknown ? 'notFound' : 'broken'),
    isUnknown ? 404 : (status as ContentfulStatusCode),
  );
}
