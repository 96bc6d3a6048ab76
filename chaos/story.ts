/** One order as its merchant and its buyer live through it. A refusal is an answer like any other: the story goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { OrderBody, Payment as PaymentSchema, Refund as RefundSchema } from '../api/schemas.ts';
import { unreachable } from '../domain/brand.ts';
import { methodTerms } from '../domain/method.ts';
import type { AttemptPlan, Plan, RefundPlan } from './plan.ts';
import { MERCHANT_KEY, OPERATOR_KEY, type Shop } from './shop.ts';
import type { Simulator, Wish } from './simulator.ts';

export type Payment = z.infer<typeof PaymentSchema>;
type Refund = z.infer<typeof RefundSchema>;

export type Lived = {
  id: string;
  plan: Plan;
  /** Attempts whose money comes through when nobody expects it any more. */
  late: Payment[];
};

type World = { shop: Shop; simulator: Simulator };

const PAID_WITHIN_MS = 5_000;
const LOOK_MS = 250;

/** @returns the order, however far it came; null where it could not even be created */
export async function live(world: World, plan: Plan): Promise<Lived | null> {
  const { shop } = world;
  const created = await shop.call<OrderBody>('POST /v1/orders', plan.order);
  if (created.status !== 201) return null;
  const { id } = created.body;
  const lived: Lived = { id, plan, late: [] };
  if (created.body.status === 'awaiting_confirmation' && plan.confirms)
    await shop.call(`POST /v1/orders/${id}/confirm`);
  for (const attempt of plan.attempts) await tryToPay(world, lived, attempt);
  if (plan.cancels === 'unpaid') await shop.call(`POST /v1/orders/${id}/cancel`, { reason: 'changed my mind' });
  const paid = await untilPaid(world, id);
  if (paid?.paid_at) await afterPayment(world, lived, paid);
  return lived;
}

async function tryToPay({ shop, simulator }: World, lived: Lived, attempt: AttemptPlan): Promise<void> {
  const { id, plan } = lived;
  const opened = await shop.call<Payment>(`POST /v1/orders/${id}/payments`, openingOf(attempt, plan));
  if (opened.status !== 201) return;
  const payment = opened.body;
  if (attempt.late) lived.late.push(payment);
  for (const wish of wishesOf(attempt, payment.amount))
    await simulator.buyer(payment.out_trade_no, withRedirect(payment, wish));
}

const openingOf = ({ method, authCode }: AttemptPlan, { person }: Plan): object => {
  const given = { auth_code: authCode, payer_id: person.payerId, client_ip: person.clientIp };
  const { needs } = methodTerms(method);
  return {
    method,
    ...Object.fromEntries(Object.entries(given).filter(([name]) => needs.some((need) => need === name))),
  };
};

/** Only the browser carries some payments to their provider: the wish then says where it is sent to. */
export const withRedirect = ({ action }: Payment, wish: Wish): Wish =>
  action?.type === 'redirect' ? { ...wish, url: action.url } : wish;

function wishesOf({ buyer }: AttemptPlan, amount: number): Wish[] {
  switch (buyer) {
    case 'pays':
      return [{ action: 'pay' }];
    case 'fails_then_pays':
      return [{ action: 'fail' }, { action: 'pay' }];
    case 'starts_then_pays':
      return [{ action: 'start' }, { action: 'pay' }];
    case 'fails':
      return [{ action: 'fail' }];
    case 'starts':
      return [{ action: 'start' }];
    case 'pays_wrongly':
      return [{ action: 'pay', amount: amount % 2 === 0 ? amount + 7 : Math.max(1, amount - 5) }];
    case 'leaves':
      return [];
    default:
      return unreachable(buyer);
  }
}

/** A little while: where notices got lost, somebody else goes on with the order later. */
async function untilPaid({ shop }: World, id: string): Promise<OrderBody | null> {
  for (const end = Date.now() + PAID_WITHIN_MS; ; await sleep(LOOK_MS)) {
    const { status, body } = await shop.call<OrderBody>(`GET /v1/orders/${id}`);
    const order = status === 200 ? body : null;
    if (order?.paid_at || order?.status === 'cancelled' || Date.now() > end) return order;
  }
}

async function afterPayment(world: World, { id, plan }: Lived, order: OrderBody): Promise<void> {
  const { shop } = world;
  if (plan.cancels === 'paid') await shop.call(`POST /v1/orders/${id}/cancel`, { reason: 'no longer needed' });
  await Promise.all([deliver(world, plan, order), ...plan.refunds.map((wanted) => refund(shop, order, wanted))]);
}

async function deliver({ shop }: World, plan: Plan, { id, items, pickup_code: code }: OrderBody): Promise<void> {
  if (!plan.delivers) return;
  const byShop = items.filter(({ fulfilment }) => fulfilment === 'shipment' || fulfilment === 'digital');
  for (const [index, item] of byShop.entries()) {
    const report = (status: string) => shop.call(`POST /v1/orders/${id}/items/${item.id}/delivery`, { status });
    if (item.fulfilment === 'shipment') await report('delivering');
    await report(index === 0 && plan.failsToDeliver ? 'failed' : 'delivered');
  }
  if (code !== null) await pickUp(shop, plan, code);
  if (byShop.length > 0 && !plan.failsToDeliver) await shop.call(`POST /v1/orders/${id}/receipt`);
  if (plan.reviews) await shop.call(`POST /v1/orders/${id}/review`, { rating: 5, comment: 'as expected' });
}

/** Twice at the same moment: it opens once. */
export async function pickUp(shop: Shop, { machineNo }: Plan, code: string): Promise<void> {
  const redeem = () => shop.call(`POST /v1/machines/${machineNo}/pickup`, { code });
  const answers = await Promise.all([redeem(), redeem()]);
  if (answers.every(({ status }) => status === 200))
    shop.calls.improper.push(`a pick-up code opened twice at machine ${machineNo}`);
}

async function refund(shop: Shop, order: OrderBody, { of, share, by, verdict }: RefundPlan): Promise<void> {
  const { id, amounts, items } = order;
  const part = Math.max(1, Math.floor(amounts.paid * share));
  const what = {
    all: {},
    part: { amount: part },
    item: { items: [{ item_id: items[0]!.id, quantity: 1 }] },
  }[of];
  const key = by === 'customer' ? checkoutTokenOf(order) : MERCHANT_KEY;
  const asked = { reason: 'does not fit', ...what };
  const { status, body } = await shop.call<Refund>(`POST /v1/orders/${id}/refunds`, asked, key);
  if (status === 202) await decide(shop, id, body.id, verdict);
}

/** The merchant shows its customer the page of the order, and the page calls with the token that is in its address. */
const checkoutTokenOf = ({ checkout_url: checkout }: OrderBody): string =>
  new URL(checkout!).searchParams.get('token')!;

/** A person's word about a refund that was applied for. If it was decided already, that is refused, and left at that. */
export const decide = (shop: Shop, order: string, refundId: string, verdict: RefundPlan['verdict']) =>
  shop.call(`POST /v1/orders/${order}/refunds/${refundId}/${verdict}`, { note: 'seen' }, OPERATOR_KEY);
