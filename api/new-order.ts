import { z } from '@hono/zod-openapi';
import type { OrderToCreate } from '../db/orders.ts';
import type { PersonalData } from '../db/schema.ts';
import { openOrder } from '../domain/decide.ts';
import type { OrderId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { sum } from '../domain/money.ts';
import type { NewOrder } from '../domain/new-order.ts';
import { FULFILMENTS, type Fulfilment, type Order, type PayableAs } from '../domain/order.ts';
import type { Caller } from './caller.ts';
import { NEW_ORDER } from './examples.ts';
import { amount, currency, quantity, seconds, text, webUrl } from './fields.ts';

/** What an order is created from: contract, "Create an order". */

const YEAR = 31_536_000;
const DEFAULTS = { expiresIn: 900, autoReceiptAfter: 1_209_600, refundWindow: 15_552_000 } as const;
const DELIVERY_TIMEOUT: Record<Fulfilment, number | null> = {
  shipment: null,
  machine: 300,
  pickup: 604_800,
  digital: 60,
};

const ItemBody = z
  .strictObject({
    sku: text().nullish(),
    name: text(),
    quantity: quantity(),
    unit_amount: amount().nullish().openapi({ description: 'For one; or give `amount`' }),
    amount: amount().nullish().openapi({ description: "The line's total; or give `unit_amount`" }),
    fulfilment: z.enum(FULFILMENTS),
    machine_no: text()
      .nullish()
      .openapi({ description: "Where it is dispensed or picked up; the order's, if not given" }),
  })
  .superRefine((item, context) => {
    if (context.issues.length > 0) return;
    const wrong = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if ((item.unit_amount ?? null) === null && (item.amount ?? null) === null)
      wrong('unit_amount', 'Give unit_amount or amount.');
    if ((item.unit_amount ?? null) !== null && (item.amount ?? null) !== null)
      wrong('amount', 'Give unit_amount or amount, not both.');
    if (amountOf(item) > LIMITS.amount) wrong('unit_amount', `The line's total is more than ${LIMITS.amount}.`);
  });

export const NewOrderBody = z
  .strictObject({
    merchant_order_no: text().openapi({ example: 'A-1001', description: "The merchant's own number, used once" }),
    currency: currency(),
    items: z.array(ItemBody).min(1).max(LIMITS.items),
    discount: amount().nullish().openapi({ description: 'Off items and delivery fee; 0 if not given' }),
    delivery_fee: amount().nullish().openapi({ description: '0 if not given' }),
    delivery: z.strictObject({ name: text().nullish(), phone: text().nullish(), address: text().nullish() }).nullish(),
    customer: z.strictObject({ id: text().nullish(), email: text().nullish() }).nullish(),
    confirm: z.boolean().nullish().openapi({ description: 'False: the customer confirms later; true if not given' }),
    test: z.boolean().nullish().openapi({ description: 'Nothing is paid and nothing delivered for real' }),
    return_url: webUrl().nullish(),
    machine_no: text().nullish().openapi({ description: 'Of machine and pickup items that name none' }),
    expires_in: seconds(1, LIMITS.expiresInSeconds).nullish().openapi({ description: '900 if not given' }),
    delivery_timeout: seconds(1, YEAR)
      .nullish()
      .openapi({ description: 'Machine 300, pickup 604,800, digital 60, shipment none if not given' }),
    auto_receipt_after: seconds(0, YEAR).nullish().openapi({ description: '1,209,600 if not given' }),
    refund_window: seconds(0, 10 * YEAR)
      .nullish()
      .openapi({ description: 'From payment; 0: none; 15,552,000 if not given' }),
    metadata: z
      .record(text(), text(LIMITS.metadataValueLength, 0))
      .refine((entries) => Object.keys(entries).length <= LIMITS.metadataKeys, {
        error: `At most ${LIMITS.metadataKeys} keys.`,
      })
      .nullish(),
  })
  .superRefine(({ items, discount, delivery_fee, machine_no }, context) => {
    if (context.issues.length > 0) return; // Sums of wrong amounts say nothing.
    const wrong = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    const goods = sum(items.map(amountOf));
    const gross = goods + (delivery_fee ?? 0);
    if (goods > LIMITS.amount) wrong('items', `Together more than ${LIMITS.amount}.`);
    else if ((discount ?? 0) > gross) wrong('discount', 'More than items and delivery fee together.');
    else if (gross - (discount ?? 0) > LIMITS.amount) wrong('delivery_fee', `The total is more than ${LIMITS.amount}.`);
    for (const { index, message } of wrongMachines(items, machine_no ?? null))
      context.addIssue({ code: 'custom', path: ['items', index, 'machine_no'], message });
  })
  .openapi('NewOrder', { example: NEW_ORDER });
export type NewOrderBody = z.infer<typeof NewOrderBody>;
type ItemBody = z.infer<typeof ItemBody>;

const amountOf = ({ amount: total, unit_amount, quantity: count }: ItemBody): number =>
  total ?? (unit_amount ?? 0) * count;

/** An order's one pick-up code is for one machine. */
function wrongMachines(items: readonly ItemBody[], common: string | null): { index: number; message: string }[] {
  const places = items.map((item, index) => ({ index, item, machineNo: machineOf(item, common) }));
  const first = places.find(({ item, machineNo }) => item.fulfilment === 'pickup' && machineNo !== null);
  return places.flatMap(({ index, item, machineNo }) => {
    if (item.fulfilment === 'machine' && machineNo === null)
      return [{ index, message: 'A machine item needs its machine_no.' }];
    const isElsewhere = item.fulfilment === 'pickup' && machineNo !== null && machineNo !== first?.machineNo;
    return isElsewhere ? [{ index, message: 'All pickup items of an order are at the same machine.' }] : [];
  });
}

const machineOf = ({ fulfilment, machine_no }: ItemBody, common: string | null): string | null =>
  machine_no ?? (fulfilment === 'machine' || fulfilment === 'pickup' ? common : null);

/** Where all pickup items are handed out; null: anywhere. */
export const pickupMachineOf = (items: OrderToCreate['items'], { items: known }: Order): string | null =>
  items.find(({ machineNo }, index) => machineNo !== null && known[index]!.fulfilment === 'pickup')?.machineNo ?? null;

function unitAmountOf(item: ItemBody): number | null {
  if (typeof item.unit_amount === 'number') return item.unit_amount;
  const each = amountOf(item) / item.quantity;
  return Number.isInteger(each) ? each : null;
}

type Given = { id: OrderId; caller: Caller; now: number; payableAs?: PayableAs | null };

/** Everything that a new order's rows need; free and test orders come out paid. */
export function orderFrom(
  body: NewOrderBody,
  given: Given,
): Omit<OrderToCreate, 'channel' | 'personal' | 'customerHash' | 'pickupCode'> & { personalData: PersonalData | null } {
  return {
    ...openOrder(termsOf(body, given)),
    merchantOrderNo: body.merchant_order_no,
    details: detailsOf(body),
    items: body.items.map((item) => ({
      sku: item.sku ?? null,
      name: item.name,
      unitAmount: unitAmountOf(item),
      machineNo: machineOf(item, body.machine_no ?? null),
    })),
    personalData: personalDataOf(body),
  };
}

function termsOf(body: NewOrderBody, { id, caller: { merchant, actor }, now, payableAs }: Given): NewOrder {
  return {
    id,
    merchant: merchant.id,
    title: titleOf(body),
    currency: body.currency,
    items: body.items.map((item) => ({
      quantity: item.quantity,
      amount: amountOf(item),
      fulfilment: item.fulfilment,
      deliveryTimeoutSeconds: body.delivery_timeout ?? DELIVERY_TIMEOUT[item.fulfilment],
      onFailure: merchant.settings.on_delivery_failure ?? (item.fulfilment === 'machine' ? 'refund' : 'ask'),
    })),
    discount: body.discount ?? 0,
    deliveryFee: body.delivery_fee ?? 0,
    confirm: body.confirm ?? true,
    test: body.test ?? false,
    fourEyes: merchant.settings.four_eyes,
    createdAt: now,
    createdBy: actor,
    expiresAt: now + (body.expires_in ?? DEFAULTS.expiresIn) * 1000,
    refundWindowSeconds: body.refund_window ?? DEFAULTS.refundWindow,
    autoReceiptAfterSeconds: body.auto_receipt_after ?? DEFAULTS.autoReceiptAfter,
    ...(payableAs && { payableAs }),
  };
}

/** Names no person. */
function titleOf({ items: [first, ...others] }: NewOrderBody): string {
  return others.length === 0 ? first!.name : `${first!.name} +${others.length}`;
}

function detailsOf(body: NewOrderBody): OrderToCreate['details'] {
  const timeouts = new Set(body.items.map((item) => body.delivery_timeout ?? DELIVERY_TIMEOUT[item.fulfilment]));
  return {
    confirm: body.confirm ?? true,
    expires_in: body.expires_in ?? DEFAULTS.expiresIn,
    delivery_timeout: timeouts.size === 1 ? [...timeouts][0]! : null,
    auto_receipt_after: body.auto_receipt_after ?? DEFAULTS.autoReceiptAfter,
    refund_window: body.refund_window ?? DEFAULTS.refundWindow,
    return_url: body.return_url ?? null,
    machine_no: commonMachineOf(body),
    metadata: body.metadata ?? null,
  };
}

function commonMachineOf({ items, machine_no = null }: NewOrderBody): string | null {
  const machines = new Set(items.map((item) => machineOf(item, machine_no)).filter((machine) => machine !== null));
  return machines.size > 1 ? null : ([...machines][0] ?? machine_no);
}

function personalDataOf({ delivery, customer }: NewOrderBody): PersonalData | null {
  if (!delivery && !customer) return null;
  const { name = null, phone = null, address = null } = delivery ?? {};
  const { id = null, email = null } = customer ?? {};
  return { delivery: delivery ? { name, phone, address } : null, customer: customer ? { id, email } : null };
}
