import type { Context } from 'hono';
import { Hono } from 'hono';
import { z } from 'zod';
import { openAsBrowser } from './browser.ts';
import { BuyerAction, buyerDoes } from './buyer.ts';
import { FaultFields } from './faults.ts';
import type { Desk, Env, SimulatedProvider } from './provider.ts';
import type { Payment, ProviderName } from './records.ts';
import { StatementFields, changeStatements } from './statement-control.ts';
import { ledgerView, paymentView } from './views.ts';

export type Providers = Readonly<Record<ProviderName, SimulatedProvider>>;

type Controls = { desk: Desk; providers: Providers; endFaults: () => void };

/** A "no" to a control call. */
class ControlError extends Error {
  readonly status: 400 | 404 | 409 | 502;
  readonly code: string;
  readonly errors: { path: string; message: string }[];

  constructor(status: ControlError['status'], code: string, message: string, errors: ControlError['errors'] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

/** What tests and people do instead of the buyer, and to the network (contract, section 6). */
export function controlRoutes({ desk, providers, endFaults }: Controls): Hono<Env> {
  const names = Object.keys(providers) as [ProviderName, ...ProviderName[]];
  const Wish = wishFields(names);
  const FaultCall = FaultFields.extend({ provider: z.enum(names).optional() });
  const view = (payment: Payment) => paymentView(desk, providers[payment.provider], payment);
  const faults = () => ({ faults: desk.faults.all() });
  return new Hono<Env>()
    .onError((error, c) => controlError(error, c))
    .post('/payments/:out_trade_no', async (c) => {
      const wish = await body(c, Wish);
      return c.json(view(await doWish({ desk, providers }, c.req.param('out_trade_no'), wish)));
    })
    .get('/payments', (c) => {
      const order = c.req.query('order');
      const found = order === undefined ? desk.books.payments() : desk.books.paymentsOf(order);
      return c.json({ data: found.map(view) });
    })
    .get('/ledger', (c) => c.json({ data: desk.books.ledger().map(ledgerView) }))
    .get('/statements', (c) => c.json(desk.statements.view()))
    .post('/statements', async (c) => {
      const unknown = changeStatements(desk, await body(c, StatementFields));
      if (unknown !== null) throw new ControlError(404, 'not_found', unknown);
      return c.json(desk.statements.view());
    })
    .delete('/statements', (c) => {
      desk.statements.end();
      return c.json(desk.statements.view());
    })
    .get('/faults', (c) => c.json(faults()))
    .post('/faults', async (c) => {
      const { provider, ...settings } = await body(c, FaultCall);
      desk.faults.set(provider, settings);
      return c.json(faults());
    })
    .delete('/faults', (c) => {
      endFaults();
      return c.json(faults());
    })
    .all('*', (c) => c.json({ code: 'not_found', message: 'no such control call', errors: [] }, 404));
}

function wishFields(names: [ProviderName, ...ProviderName[]]) {
  return z.strictObject({
    action: BuyerAction,
    amount: z.int().min(1).max(99_999_999_999).optional(),
    force: z.boolean().optional(),
    url: z.url({ protocol: /^https?$/ }).optional(),
    provider: z.enum(names).optional(),
  });
}

type Wish = z.infer<ReturnType<typeof wishFields>>;

async function doWish({ desk, providers }: Omit<Controls, 'endFaults'>, number: string, wish: Wish): Promise<Payment> {
  if (wish.url !== undefined) await opened(wish.url); // Only this may make the payment known.
  const payment = theOne(desk.books.paymentsNumbered(number), number, wish.provider);
  const outcome = buyerDoes(desk, providers[payment.provider], payment, wish);
  if (outcome === 'closed') throw new ControlError(409, 'closed', `the payment ${number} is closed`);
  return desk.books.payment(payment.id) ?? payment;
}

function theOne(known: readonly Payment[], number: string, provider: ProviderName | undefined): Payment {
  const [payment, ...others] = known.filter((candidate) => provider === undefined || candidate.provider === provider);
  if (!payment) throw new ControlError(404, 'not_found', `no payment has the number ${number}`);
  if (others.length === 0) return payment;
  const owners = [payment, ...others].map((each) => `${each.provider} (${each.merchant})`).join(', ');
  throw new ControlError(409, 'ambiguous', `several payments have the number ${number}: ${owners}`);
}

async function opened(url: string): Promise<void> {
  try {
    await openAsBrowser(url);
  } catch (error) {
    throw new ControlError(502, 'url_not_opened', `the url could not be opened: ${String(error)}`, [
      { path: 'url', message: String(error) },
    ]);
  }
}

export async function body<T>(c: Context<Env>, schema: z.ZodType<T>): Promise<T> {
  const result = schema.safeParse(await json(c));
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap(named);
  const message = errors.map((error) => `${error.path || 'body'}: ${error.message}`).join('; ');
  throw new ControlError(400, 'invalid_request', message, errors);
}

/** zod hangs an unknown field on the object around it; a reader wants the field. */
function named(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'unknown field' }));
}

async function json(c: Context<Env>): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    throw new ControlError(400, 'invalid_request', 'the body is not JSON', [{ path: '', message: 'not JSON' }]);
  }
}

export function controlError(error: unknown, c: Context<Env>): Response {
  if (!(error instanceof ControlError)) throw error;
  const { status, code, message, errors } = error;
  return c.json({ code, message, errors }, status);
}
