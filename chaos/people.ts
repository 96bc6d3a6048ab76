/** The world's answer to what waits for it: whoever delivers, collects, receives, decides. */
import type { OrderBody } from '../api/schemas.ts';
import type { Plan } from './plan.ts';
import { isAwaited } from './rest.ts';
import { OPERATOR_KEY, type Shop } from './shop.ts';
import { decide, pickUp } from './story.ts';

/** One look at an order, and what its people do about it. They look again until nothing is left to do. */
export async function seeTo(shop: Shop, order: OrderBody, plan: Plan): Promise<void> {
  const requested = order.refunds.find(({ status }) => status === 'requested');
  const disputed = order.payments.find(({ status }) => status === 'disputed');
  if (requested) await decide(shop, order.id, requested.id, plan.verdict);
  if (disputed && order.paid_at === null) await resolve(shop, order, disputed.id, plan);
  if (order.status !== 'paid' && order.status !== 'processing') return mend(shop, order);
  await deliverTheRest(shop, order, plan);
  await mend(shop, order);
  if (order.received_at === null && !order.items.some(isAwaited))
    await shop.call(`POST /v1/orders/${order.id}/receipt`);
}

/** Money that is not enough can't be accepted: then it goes back. */
async function resolve(shop: Shop, { id }: OrderBody, payment: string, { verdict }: Plan): Promise<void> {
  const say = (decision: 'accept' | 'return') =>
    shop.call(`POST /v1/orders/${id}/payments/${payment}/resolve`, { decision, note: 'as agreed' }, OPERATOR_KEY);
  if (verdict !== 'approve' || (await say('accept')).status !== 200) await say('return');
}

async function deliverTheRest(shop: Shop, order: OrderBody, plan: Plan): Promise<void> {
  const awaited = order.items.filter(isAwaited);
  if (order.pickup_code !== null && awaited.some(({ fulfilment }) => fulfilment === 'pickup'))
    await pickUp(shop, plan, order.pickup_code);
  for (const { id } of awaited.filter(({ fulfilment }) => fulfilment === 'shipment' || fulfilment === 'digital'))
    await shop.call(`POST /v1/orders/${order.id}/items/${id}/delivery`, { status: 'delivered' });
}

/** What failed for good and waits for somebody: goods are delivered again, money is applied for anew. */
async function mend(shop: Shop, order: OrderBody): Promise<void> {
  const codes = order.attention.map(({ code }) => code);
  if (codes.includes('delivery_failed'))
    for (const { id, delivery } of order.items)
      if (delivery.status === 'failed' || delivery.status === 'timed_out')
        await shop.call(`POST /v1/orders/${order.id}/items/${id}/redeliver`);
  const failed = order.refunds.findLast(({ status, origin }) => status === 'failed' && DECIDED.includes(origin));
  if (codes.includes('refund_failed') && failed)
    await shop.call(`POST /v1/orders/${order.id}/refunds`, { reason: 'it failed', amount: failed.amount });
}

const DECIDED: readonly string[] = ['customer', 'merchant', 'cancellation', 'delivery_failure'];
