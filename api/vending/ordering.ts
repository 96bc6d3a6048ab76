import type { Context } from 'hono';
import { ProviderProblem, Refused } from '../../client/refused.ts';
import type { Application } from '../../db/applications.ts';
import { listOrders, type StoredOrder } from '../../db/orders.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { PaymentMethod } from '../../domain/method.ts';
import { sum } from '../../domain/money.ts';
import { isOpen, isOpened, isUnpaid, type Order } from '../../domain/order.ts';
import { createFrom } from '../create-order.ts';
import type { ApiEnv, Services } from '../env.ts';
import { newOrderId } from '../ids.ts';
import { NewOrderBody } from '../new-order.ts';
import { checkMethod } from '../payment-methods.ts';
import { openAttempt } from '../payments.ts';
import { loadOrder } from '../wishes.ts';
import { VendingFailure } from './failures.ts';
import { checkTime, type OrderingPayload } from './payload.ts';

const CURRENCY = 'CNY';
const USUAL_METHOD: PaymentMethod = 'wechatpay.native';

/**
 * Active ordering: an order with one attempt to pay it. The same trade_id again is the same order, and its attempt is
 * opened if it was not yet, or has lapsed; one that failed stays failed, as the provider's own numbers do.
 * @throws VendingFailure, Problem, Refused, ProviderProblem
 */
export async function order(
  services: Services,
  c: Context<ApiEnv>,
  application: Application,
  payload: OrderingPayload,
): Promise<StoredOrder> {
  if (!application.machines.includes(payload.machine_no)) throw new VendingFailure('invalid');
  const wanted = newOrder(payload);
  const method = payload.pay_method ?? USUAL_METHOD;
  await checkOffer(services, application, method, payload);
  checkTime(payload, services.now());
  const origin = {
    id: newOrderId(undefined, services.now()),
    channel: 'vending',
    application: application.id,
  } as const;
  const outcome = await createFrom(services, c, wanted, origin);
  const stored = 'order' in outcome ? outcome : await sameOrder(services, c, { application, wanted }, outcome.takenBy);
  return withAttempt(services, c, stored, { method, auth_code: payload.auth_code });
}

/** What is ordered already stays the same order, whatever is on offer now. @throws Problem payment_method_unavailable */
async function checkOffer(
  services: Services,
  { merchant }: Application,
  method: PaymentMethod,
  { products, test, trade_id: merchantOrderNo }: OrderingPayload,
): Promise<void> {
  const amount = sum(products.map(({ price }) => price));
  if (amount === 0 || test) return;
  await checkMethod(services, merchant, method, { currency: CURRENCY, amount }).catch(async (error: unknown) => {
    const known = await listOrders(services.db, { merchant: merchant.id, merchantOrderNo, limit: 1 });
    if (known.length === 0) throw error;
  });
}

/** @throws VendingFailure invalid, where the sum is more than an order may come to */
function newOrder({ machine_no, trade_id, products, pickup_code, test, expires_in }: OrderingPayload): NewOrderBody {
  const wanted = NewOrderBody.safeParse({
    merchant_order_no: trade_id,
    currency: CURRENCY,
    items: products.map(({ product_id, quantity, price }) => ({
      sku: String(product_id),
      name: `商品 ${product_id}`,
      quantity,
      amount: price,
      fulfilment: pickup_code ? 'pickup' : 'machine',
    })),
    machine_no,
    test,
    expires_in,
  });
  if (!wanted.success) throw new VendingFailure('invalid');
  return wanted.data;
}

/** The order that has this trade_id. @throws VendingFailure invalid, if it is of another wish */
async function sameOrder(
  services: Services,
  c: Context<ApiEnv>,
  { application, wanted }: { application: Application; wanted: NewOrderBody },
  id: OrderId,
): Promise<StoredOrder> {
  const stored = await loadOrder(services, c.var.caller, id);
  const { details } = stored.row;
  const isSame =
    details.application === application.id &&
    details.machine_no === wanted.machine_no &&
    stored.order.test === (wanted.test ?? false) &&
    JSON.stringify(stored.items.map(goods)) === JSON.stringify(wanted.items.map(goods));
  if (!isSame) throw new VendingFailure('invalid');
  return stored;
}

type Goods = {
  sku?: string | null | undefined;
  quantity: number;
  amount?: number | null | undefined;
  fulfilment: string;
};
const goods = ({ sku, quantity, amount, fulfilment }: Goods) => [sku, quantity, amount, fulfilment];

async function withAttempt(
  services: Services,
  c: Context<ApiEnv>,
  stored: StoredOrder,
  asked: { method: PaymentMethod; auth_code: string | null | undefined },
): Promise<StoredOrder> {
  // Nothing can be paid any more, also while its end is still under way (contract rule 8).
  if (isUnpaid(stored.order) && services.now() >= stored.order.expiresAt) throw new VendingFailure('expired');
  if (!needsAttempt(stored.order)) return stored;
  await openAttempt(services, c, asked, stored).catch((error: unknown) => {
    // A provider's definite no, or what happened to the order meanwhile, shows in its status.
    const isShown = error instanceof ProviderProblem && error.code === 'provider_error';
    if (!isShown && !isOvertaken(error)) throw error;
  });
  return loadOrder(services, c.var.caller, stored.order.id);
}

function needsAttempt(wanted: Order): boolean {
  const hasOne = wanted.payments.some((payment) => isOpen(payment) && isOpened(payment));
  return isUnpaid(wanted) && !hasOne && wanted.payments.at(-1)?.status !== 'failed';
}

const SHOWN: readonly string[] = ['already_paid', 'invalid_state', 'limit_reached'];
const isOvertaken = (error: unknown): boolean => error instanceof Refused && SHOWN.includes(error.refusal.code);
