import type { StoredOrder } from '../db/orders.ts';
import type { PersonalData } from '../db/schema.ts';
import type { Sealer } from '../db/sealed.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import { withToken } from '../domain/hidden-token.ts';
import { view, type OrderView } from '../domain/view.ts';
import { orderWorkflowId } from '../workflows/messages.ts';
import type { Caller } from './caller.ts';
import { checkoutToken } from './checkout-token.ts';
import type { Services } from './env.ts';
import { readPickupCode } from './pickup-code.ts';
import type { OrderBody } from './schemas.ts';

/** Where an order's personal data is sealed for. */
export const personalContext = (order: string): string => `orders.personal/${order}`;

/**
 * The order as this caller may see it.
 * @param live the running workflow's own answer, if it was asked
 */
export function orderBody(
  services: Pick<Services, 'sealer' | 'temporalUi' | 'publicUrl'>,
  caller: Caller,
  { order, row, items, pickup }: StoredOrder,
  live: OrderView = view(order),
): OrderBody {
  const { sealer, temporalUi } = services;
  const isCustomer = caller.kind === 'customer';
  const { details } = row;
  const personal = personalDataOf(sealer, order.id, row.personal);
  const seen = isCustomer ? masked(personal) : personal;
  const { id, currency, ...state } = live;
  return {
    id,
    number: row.number,
    merchant_order_no: row.merchant_order_no,
    currency,
    ...state,
    items: live.items.map((item, index) => ({ ...item, ...itemFields(items[index]!) })),
    payments: live.payments.map((payment) => paymentBody(services, caller, order.id, payment)),
    discount: order.discount,
    delivery_fee: order.deliveryFee,
    delivery: seen.delivery,
    customer: seen.customer,
    confirm: details.confirm,
    test: order.test,
    return_url: details.return_url,
    machine_no: details.machine_no ?? null,
    expires_in: details.expires_in,
    delivery_timeout: details.delivery_timeout,
    auto_receipt_after: details.auto_receipt_after,
    refund_window: details.refund_window,
    metadata: isCustomer ? null : details.metadata,
    pickup_code: pickup && mayCheckOut(caller) ? readPickupCode(sealer, id, pickup.code) : null,
    checkout_url: mayCheckOut(caller) ? checkoutUrl(services, order.id) : null,
    workflow: isCustomer ? null : workflowOf(order, row.run_id, temporalUi),
  };
}

/** Whoever has the link is the customer, whoever has the code gets the goods: not everybody who may read orders. */
const mayCheckOut = (caller: Caller): boolean => caller.kind === 'customer' || caller.scopes.has('orders:write');

type PaymentBody = OrderView['payments'][number];

/** A payment as this caller may see it: the way back from it leads to the customer's page only for whoever opens payments. */
export function paymentBody(
  { sealer }: Pick<Services, 'sealer'>,
  caller: Caller,
  order: OrderId,
  payment: PaymentBody,
): PaymentBody {
  const mayOpen = mayCheckOut(caller) || (caller.kind === 'key' && caller.scopes.has('payments:write'));
  return mayOpen ? { ...payment, action: withToken(payment.action, checkoutToken(sealer, order)) } : payment;
}

/** The customer's page of an order. */
export const checkoutUrl = ({ sealer, publicUrl }: Pick<Services, 'sealer' | 'publicUrl'>, order: OrderId): string =>
  `${publicUrl}/pay/${order}?token=${checkoutToken(sealer, order)}`;

const itemFields = ({ sku, name, unit_amount, machine_no }: StoredOrder['items'][number]) => ({
  sku,
  name,
  unit_amount,
  machine_no,
});

const NOBODY: PersonalData = { delivery: null, customer: null };

function personalDataOf(sealer: Sealer, order: string, sealed: string | null): PersonalData {
  return sealed === null ? NOBODY : (sealer.open(sealed, personalContext(order)) as PersonalData);
}

/** A customer's link may be seen by others: enough to recognise one's own, not enough to learn another's. */
function masked({ delivery, customer }: PersonalData): PersonalData {
  if (!delivery) return { delivery, customer };
  const { name, phone, address } = delivery;
  return { delivery: { name, phone: maskedText(phone, 3, 4), address: maskedText(address, 6, 0) }, customer };
}

/** Shows a few characters at the ends, and never more than half of them. */
function maskedText(text: string | null, first: number, last: number): string | null {
  if (text === null) return null;
  const letters = Array.from(text);
  const room = Math.floor(letters.length / 2);
  const start = Math.min(first, Math.max(0, room - last));
  const end = Math.min(last, room);
  return `${letters.slice(0, start).join('')}****${letters.slice(letters.length - end).join('')}`;
}

function workflowOf({ id }: Order, runId: string | null, ui: Services['temporalUi']): OrderBody['workflow'] {
  const workflow = orderWorkflowId(id);
  const page = ui && `${ui.url}/namespaces/${ui.namespace}/workflows/${encodeURIComponent(workflow)}`;
  return { id: workflow, run_id: runId, url: page && (runId ? `${page}/${runId}/history` : page) };
}

/** Its version; erasing personal data is no change of the order, but of what is shown. */
export function etagOf({ row }: StoredOrder, version: number = row.version): string {
  return row.details.erased_at ? `"${version}-erased"` : `"${version}"`;
}

/** RFC 9110, 13.1.2: weak comparison. */
export function matches(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false;
  const tags = given.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
