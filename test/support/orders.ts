import { randomBytes, randomUUID } from 'node:crypto';
import { createOrder, findOrder, type StoredOrder } from '../../db/orders.ts';
import { openOrder } from '../../domain/decide.ts';
import type { MerchantId, OrderId } from '../../domain/ids.ts';
import type { Actor, Fulfilment, Order, Payment } from '../../domain/order.ts';
import { orderWorkflowId } from '../../workflows/messages.ts';
import type { System } from './system.ts';

export const MERCHANT: Actor = { type: 'merchant', name: null };
export const OPERATOR = { key: 'key:key_demo_operator', name: 'Demo Operator' };

type Wanted = {
  amounts?: number[];
  quantity?: number;
  /** Of all items, or of each. */
  fulfilment?: Fulfilment | Fulfilment[];
  machineNo?: string | null;
  expiresInMs?: number;
  confirm?: boolean;
  test?: boolean;
  refundWindowSeconds?: number;
  autoReceiptAfterSeconds?: number;
  onFailure?: 'refund' | 'ask';
  deliveryTimeoutSeconds?: number | null;
};

/** An order in the database, its workflow not started yet. */
export async function createUnstarted(system: System, wanted: Wanted = {}): Promise<StoredOrder> {
  const {
    amounts = [1000, 2000],
    quantity = 1,
    fulfilment = 'shipment',
    expiresInMs = 900_000,
    confirm = true,
    test = false,
    machineNo = null,
  } = wanted;
  const fulfilments = [fulfilment].flat();
  const id = `ord_${randomBytes(10).toString('hex')}` as OrderId;
  const now = Date.now();
  const refundWindowSeconds = wanted.refundWindowSeconds ?? 15_552_000;
  const autoReceiptAfterSeconds = wanted.autoReceiptAfterSeconds ?? 1_209_600;
  const { deliveryTimeoutSeconds = null, onFailure = 'ask' } = wanted;
  const opened = openOrder({
    id,
    merchant: 'demo' as MerchantId,
    title: 'Green tea',
    currency: 'CNY',
    items: amounts.map((amount, index) => ({
      quantity,
      amount,
      fulfilment: fulfilments[index % fulfilments.length]!,
      deliveryTimeoutSeconds,
      onFailure,
    })),
    discount: 0,
    deliveryFee: 0,
    confirm,
    test,
    fourEyes: true,
    createdAt: now,
    expiresAt: now + expiresInMs,
    refundWindowSeconds,
    autoReceiptAfterSeconds,
  });
  await createOrder(system.db, {
    ...opened,
    merchantOrderNo: id,
    channel: 'api',
    personal: null,
    customerHash: null,
    details: {
      confirm,
      expires_in: Math.ceil(expiresInMs / 1000),
      delivery_timeout: null,
      auto_receipt_after: autoReceiptAfterSeconds,
      refund_window: refundWindowSeconds,
      return_url: null,
      metadata: null,
    },
    items: amounts.map((amount) => ({ sku: null, name: 'Green tea', unitAmount: amount, machineNo })),
    pickupCode: null,
  });
  return (await findOrder(system.db, id, null))!;
}

/** An order whose workflow is started. */
export async function create(system: System, wanted: Wanted = {}): Promise<OrderId> {
  const stored = await createUnstarted(system, wanted);
  await system.gateway.start(stored);
  return stored.order.id;
}

export async function stored(system: System, id: OrderId): Promise<Order> {
  return (await findOrder(system.db, id, null))!.order;
}

/** Opens an attempt and has the buyer pay at the simulator. No notice reaches anybody: see `notice`. */
export async function pay(system: System, id: OrderId, amount?: number): Promise<Payment> {
  const payment = await open(system, id);
  await control(system, payment.outTradeNo, { action: 'pay', ...(amount !== undefined && { amount }) });
  return payment;
}

export async function open(system: System, id: OrderId): Promise<Payment> {
  const granted = await system.gateway.ask(id, { type: 'open_payment', method: 'wechatpay.native', by: MERCHANT });
  return (await stored(system, id)).payments.find((p) => p.id === granted.payment)!;
}

export async function control(system: System, outTradeNo: string, body: Record<string, unknown>): Promise<Response> {
  return post(`${system.simulator.url}/_control/payments/${outTradeNo}`, body);
}
export const faults = (system: System, body: Record<string, unknown>) =>
  post(`${system.simulator.url}/_control/faults`, body);
export const noFaults = (system: System) => fetch(`${system.simulator.url}/_control/faults`, { method: 'DELETE' });

const post = (url: string, body: unknown) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** A verified notice, as the API would have put it into the inbox; its number, to tell the order. */
export async function noticeOf(
  system: System,
  id: OrderId,
  payment: Payment,
  says: { amount?: number; tradeNo?: string; mchid?: string } = {},
): Promise<string> {
  const row = `ntc_${randomUUID()}`;
  const tradeNo = says.tradeNo ?? (await tradeNoOf(system, payment)) ?? `4200${randomBytes(12).toString('hex')}`;
  const money = { amount: says.amount ?? payment.amount, currency: 'CNY' };
  const account = { merchantNo: says.mchid ?? '1900000109', appId: 'wxd678efh567hg6787' };
  const notice = {
    id: row,
    account,
    ours: account.merchantNo === '1900000109',
    outTradeNo: payment.outTradeNo,
    about: 'payment',
    payment: { state: 'paid', tradeNo, money, paidAt: Date.now() },
  };
  await system.db
    .insertInto('notices')
    .values({
      id: row,
      provider: 'wechatpay',
      merchant_id: 'demo',
      notice_id: row,
      out_trade_no: payment.outTradeNo,
      order_id: id,
      body: JSON.stringify(notice),
      processed_at: null,
    })
    .execute();
  return row;
}

async function tradeNoOf(system: System, { outTradeNo }: Payment): Promise<string | undefined> {
  const { data } = (await (await fetch(`${system.simulator.url}/_control/ledger`)).json()) as {
    data: { out_trade_no: string; trade_no: string }[];
  };
  return data.find((entry) => entry.out_trade_no === outTradeNo)?.trade_no;
}

export type LedgerEntry = { out_trade_no: string; type: 'capture' | 'refund'; amount: number };
export async function providersBooks(system: System, payment: Payment): Promise<LedgerEntry[]> {
  const { data } = (await (await fetch(`${system.simulator.url}/_control/ledger`)).json()) as { data: LedgerEntry[] };
  return data.filter((entry) => entry.out_trade_no === payment.outTradeNo);
}

/** Paid, with the order told. */
export async function paid(system: System, wanted: Wanted = {}): Promise<{ id: OrderId; payment: Payment }> {
  const id = await create(system, wanted);
  const payment = await pay(system, id);
  await system.gateway.tellNotice(id, await noticeOf(system, id, payment));
  await until(
    () => stored(system, id),
    ({ paidAt }) => paidAt !== null,
  );
  return { id, payment };
}

/** Succeeds soon: the provider tells nobody here, and would be asked only every twenty seconds. */
export async function refundSucceeds(system: System, id: OrderId, refund: string): Promise<Order> {
  const asked = async () => {
    await system.gateway.ask(id, { type: 'retry', by: MERCHANT });
    await new Promise((resolve) => setTimeout(resolve, 500));
    return stored(system, id);
  };
  return until(asked, ({ refunds }) => refunds.some((one) => one.id === refund && one.status === 'succeeded'));
}

/** Looks again and again until it is so. @throws with what it saw last */
export async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, withinMs = 60_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (Date.now() > end) throw new Error(`not so within ${withinMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** The kinds of a run's history events, in order. */
export async function historyOf(system: System, id: OrderId): Promise<string[]> {
  const { events } = await system.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  return (events ?? []).map((event) => {
    const kind = Object.entries(event).find(([name, value]) => name.endsWith('EventAttributes') && value);
    return kind![0].replace('EventAttributes', '');
  });
}

export async function isClosed(system: System, id: OrderId): Promise<boolean> {
  const { status } = await system.client.workflow.getHandle(orderWorkflowId(id)).describe();
  return status.name === 'COMPLETED';
}
