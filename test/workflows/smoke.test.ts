import { afterAll, beforeAll, expect, it } from 'vitest';
import { createOrder, findOrder } from '../../db/orders.ts';
import { openOrder } from '../../domain/decide.ts';
import type { MerchantId, OrderId } from '../../domain/ids.ts';
import { startSystem, type System } from '../support/system.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ publicUrl: 'http://127.0.0.1:1' });
  await system.startWorker();
});
afterAll(() => system.stop());

let n = 0;
export async function make(expiresInMs: number) {
  const id = `ord_${String(Date.now()).padStart(16, '0')}${String(n++).padStart(4, '0')}` as OrderId;
  const now = Date.now();
  const made = openOrder({
    id, merchant: 'demo' as MerchantId, title: 'Tea', currency: 'CNY',
    items: [
      { quantity: 1, amount: 1000, fulfilment: 'shipment', deliveryTimeoutSeconds: null, onFailure: 'ask' },
      { quantity: 1, amount: 2000, fulfilment: 'shipment', deliveryTimeoutSeconds: null, onFailure: 'ask' },
    ],
    discount: 0, deliveryFee: 0, confirm: true, test: false, fourEyes: true, createdAt: now, expiresAt: now + expiresInMs, refundWindowSeconds: 1000, autoReceiptAfterSeconds: 1000,
  });
  await createOrder(system.db, {
    ...made, merchantOrderNo: id, channel: 'api', personal: null,
    details: { confirm: true, expires_in: 900, delivery_timeout: null, auto_receipt_after: 1000, refund_window: 1000, return_url: null, metadata: null },
    items: [{ sku: null, name: 'Tea', unitAmount: 1000, machineNo: null }, { sku: null, name: 'Pot', unitAmount: 2000, machineNo: null }],
  });
  const stored = (await findOrder(system.db, id, null))!;
  await system.gateway.start(stored);
  return { id, stored };
}
const by = { type: 'merchant', name: null } as const;
const state = async (id: OrderId) => (await findOrder(system.db, id, null))!;
async function until<T>(get: () => Promise<T>, ok: (t: T) => boolean, ms = 10000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const t = await get();
    if (ok(t)) return t;
    if (Date.now() > end) throw new Error(`not in time: ${JSON.stringify(t)}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}
async function history(id: OrderId) {
  const h = await system.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  return h.events!.map((e) => Object.keys(e).find((k) => k.endsWith('EventAttributes') && (e as never)[k])!.replace('EventAttributes', ''));
}

it('expires unpaid', async () => {
  const { id } = await make(1500);
  const s = await until(() => state(id), ({ row }) => row.status === 'cancelled');
  expect(s.order.cancelReason).toBe('expired');
  await new Promise((r) => setTimeout(r, 300));
  console.log(await history(id));
});

it('is paid and delivered', async () => {
  const { id } = await make(900_000);
  const granted = await system.gateway.ask(id, { type: 'open_payment', method: 'wechatpay.native', by });
  let s = await state(id);
  console.log(granted, JSON.stringify(s.order.payments));
  await fetch(`${system.simulator.url}/_control/payments/${s.order.payments[0]!.outTradeNo}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ action: 'pay' }) });
  await until(async () => (await state(id)).row.status, (x) => x === 'paid', 40000);
  for (const i of s.order.items) await system.gateway.tellDelivery(id, { itemId: i.id, status: 'delivered' });
  await until(async () => (await state(id)).row.status, (x) => x === 'processing');
  await until(async () => (await state(id)).order.items.every((i) => i.status === 'delivered'), (x) => x);
  await system.gateway.ask(id, { type: 'confirm_receipt', by });
  s = await state(id);
  expect(s.row.status).toBe('completed');
  await new Promise((r) => setTimeout(r, 500));
  console.log(await history(id));
  console.log(await system.db.selectFrom('order_events').select(['seq', 'type']).where('order_id', '=', id).orderBy('seq').execute());
});
