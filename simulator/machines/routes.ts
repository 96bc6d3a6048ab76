import type { Context } from 'hono';
import { Hono } from 'hono';
import { z } from 'zod';
import { body, controlError } from '../control.ts';
import { staySilent } from '../faulty.ts';
import type { Desk, Env } from '../provider.ts';
import type { Machines } from './machines.ts';
import { dispensingView } from './records.ts';
import { flawOf } from './signature.ts';

const DispatchBody = z.strictObject({
  dispatch_id: z.string().min(1).max(64),
  order_id: z.string(),
  item_id: z.string(),
  machine_no: z.string().min(1),
  record: z.int().min(1),
  sku: z.string().nullable(),
  name: z.string(),
  quantity: z.int().min(1),
  report_url: z.url({ protocol: /^https?$/ }),
});

/** The merchants' machine backend: takes dispatches, signed, and sees to it that each is carried out once. */
export function machineRoutes(desk: Pick<Desk, 'now'>, machines: Machines): Hono<Env> {
  return new Hono<Env>().post('/:merchant/dispatches', async (c) => {
    const merchant = c.req.param('merchant');
    const secret = machines.secretOf(merchant);
    if (secret === undefined) return c.json({ error: 'no such merchant' }, 404);
    const text = await c.req.text();
    const flaw = flawOf(secret, (name) => c.req.header(name), text, desk.now());
    if (flaw !== null) return c.json({ error: flaw }, 401);
    const read = DispatchBody.safeParse(parsed(text));
    if (!read.success) return c.json({ error: z.prettifyError(read.error) }, 400);
    if (read.data.dispatch_id !== c.req.header('webhook-id')) return c.json({ error: 'webhook-id differs' }, 400);
    return answerTo(c, machines, merchant, read.data);
  });
}

async function answerTo(
  c: Context<Env>,
  machines: Machines,
  merchant: string,
  wanted: z.infer<typeof DispatchBody>,
): Promise<Response> {
  const { dispatch_id: id, order_id: order, item_id: item, machine_no: machineNo, report_url: reportUrl } = wanted;
  const { name, quantity, record } = wanted;
  const outcome = machines.take({ id, merchant, machineNo, order, item, name, quantity, reportUrl, record });
  if (outcome === 'silent') await staySilent(c);
  if (outcome === 'other dispatch of this id') return c.json({ error: 'another dispatch has this id' }, 409);
  return c.json({ dispatch_id: id }, 202);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ModeBody = z.strictObject({
  mode: z.enum(['dispense', 'jam', 'silent']),
  delay_ms: z
    .int()
    .min(0)
    .max(31 * 24 * 3600 * 1000)
    .optional(),
  item: z.int().min(1).optional(),
  reports: z.int().min(1).max(100).optional(),
});

/** What people and tests do to machines (contract, section 6), and what lies in their trays. */
export function machineControl({ books }: Pick<Desk, 'books'>, machines: Machines): Hono<Env> {
  const view = (machineNo: string) => ({
    machine_no: machineNo,
    ...machines.modeOf(machineNo),
    ignored: machines.ignoredBy(machineNo),
    dispatches: books.dispensingsOf(machineNo).map(dispensingView),
  });
  return new Hono<Env>()
    .onError((error, c) => controlError(error, c))
    .get('/:machine_no', (c) => c.json(view(c.req.param('machine_no'))))
    .post('/:machine_no', async (c) => {
      machines.behave(c.req.param('machine_no'), await body(c, ModeBody));
      return c.json(view(c.req.param('machine_no')));
    });
}
