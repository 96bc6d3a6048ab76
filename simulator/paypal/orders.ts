import type { BuyerWish } from '../provider.ts';
import type { Payment } from '../records.ts';
import { recordId, statusAt } from '../records.ts';
import { checked, OrderFields } from './fields.ts';
import { minorUnits } from './money.ts';
import type { Answer, Call, OrderDetails, Platform } from './platform.ts';
import { newId, orderDetails } from './platform.ts';
import { notFound, unprocessable } from './refusal.ts';
import { captureObject, orderObject } from './views.ts';
import { captureCompleted, orderApproved } from './webhooks.ts';

/** As long to say yes, and as long again to take the money (providers.md 5.2). */
const LIFE_MS = 3 * 3600 * 1000;

/** POST /v2/checkout/orders: the same PayPal-Request-Id is the same order. */
export function createOrder(platform: Platform, call: Call): Answer {
  const { books } = platform.desk;
  const wanted = checked(OrderFields, call.body);
  const request = JSON.stringify(wanted);
  const earlier = call.requestId === null ? undefined : books.paymentByAlias('paypal', requestAlias(call));
  if (earlier) {
    if (orderDetails(earlier).request !== request)
      throw unprocessable('PAYPAL_REQUEST_ID_PREVIOUSLY_USED', 'The PayPal-Request-Id was used for another request.');
    return { status: 200, body: orderObject(platform, earlier, call.isFull) };
  }
  const payment = newOrder(platform, call, wanted, request);
  books.write({ payment });
  return { status: 201, body: orderObject(platform, payment, call.isFull) };
}

const requestAlias = ({ merchant, requestId }: Call): string => `request/${merchant.clientId}/${requestId}`;

/** GET /v2/checkout/orders/{id}: nobody knows one any more that lapsed unpaid. */
export function getOrder(platform: Platform, call: Call): Answer {
  return { status: 200, body: orderObject(platform, ownOrder(platform, call), true) };
}

/** POST /v2/checkout/orders/{id}/capture: takes what the payer approved, once; told again under the same PayPal-Request-Id. */
export function captureOrder(platform: Platform, call: Call): Answer {
  const { desk } = platform;
  const payment = ownOrder(platform, call);
  const details = orderDetails(payment);
  const isRepeated = call.requestId !== null && details.captureRequestId === call.requestId;
  if (payment.status === 'paid' && isRepeated)
    return { status: 200, body: orderObject(platform, payment, call.isFull) };
  if (payment.status === 'paid') throw unprocessable('ORDER_ALREADY_CAPTURED', 'Order already captured.');
  if (!details.approval) throw unprocessable('ORDER_NOT_APPROVED', 'Payer has not yet approved the Order for payment.');
  if (details.approval.declined) {
    desk.books.write({ payment: { ...payment, status: 'pending', details: { ...details, approval: null } } });
    throw unprocessable('INSTRUMENT_DECLINED', 'The instrument presented was declined by the processor or bank.');
  }
  const tradeNo = newId();
  const done: Payment = {
    ...payment,
    status: 'paid',
    tradeNo,
    aliases: [...payment.aliases, tradeNo],
    paidAmount: details.approval.amount,
    paidAt: desk.now(),
    details: { ...details, captureRequestId: call.requestId },
  };
  desk.announce({ payment: done }, captureCompleted(platform, done));
  return { status: 201, body: orderObject(platform, done, call.isFull) };
}

/** GET /v2/payments/captures/{id} */
export function getCapture(platform: Platform, call: Call): Answer {
  return { status: 200, body: captureObject(platform, ownCapture(platform, call)) };
}

/** The merchant's paid order by its capture's id. */
export function ownCapture({ desk }: Platform, { merchant, path }: Call): Payment {
  const payment = desk.books.paymentByAlias('paypal', path['capture_id'] ?? '');
  if (!payment || payment.merchant !== merchant.clientId || payment.tradeNo !== path['capture_id']) throw notFound();
  return payment;
}

/** `pay` says yes, `fail` says yes with a card that will be declined (contract, section 6). */
export function buyer(platform: Platform, payment: Payment, { action, amount }: BuyerWish): void {
  const { desk } = platform;
  const details = orderDetails(payment);
  switch (action) {
    case 'pay':
    case 'fail': {
      if (details.approval && !details.approval.declined && action === 'pay') return;
      const approval = { amount: amount ?? payment.amount, declined: action === 'fail' };
      const expiresAt = desk.now() + LIFE_MS;
      const approved: Payment = { ...payment, status: 'paying', expiresAt, details: { ...details, approval } };
      return desk.announce({ payment: approved }, orderApproved(platform, approved));
    }
    case 'start':
      return desk.books.write({ payment: { ...payment, status: 'paying' } });
    case 'cancel':
      if (details.approval) return; // There is no way back from a yes.
      return desk.books.write({ payment: { ...payment, status: 'pending' } });
  }
}

function ownOrder({ desk }: Platform, { merchant, path }: Call): Payment {
  const payment = desk.books.payment(recordId('paypal', merchant.clientId, path['id'] ?? ''));
  if (!payment || statusAt(payment, desk.now()) === 'closed') throw notFound();
  return payment;
}

function newOrder({ desk }: Platform, call: Call, wanted: OrderFields, request: string): Payment {
  const [unit] = wanted.purchase_units as [OrderFields['purchase_units'][number]];
  const amount = minorUnits(unit.amount, '/purchase_units/0/amount');
  const items = unit.amount.breakdown?.item_total;
  if (items && minorUnits(items, '/purchase_units/0/amount/breakdown/item_total') !== amount)
    throw unprocessable('AMOUNT_MISMATCH', 'Should equal item_total + tax_total + shipping + handling - discounts.');
  const orderId = newId();
  const now = desk.now();
  return {
    id: recordId('paypal', call.merchant.clientId, orderId),
    provider: 'paypal',
    merchant: call.merchant.clientId,
    outTradeNo: unit.custom_id ?? orderId,
    order: unit.reference_id === 'default' ? null : unit.reference_id, // The product hands its order's id through here.
    description: unit.description ?? '',
    amount,
    currency: unit.amount.currency_code,
    status: 'pending',
    tradeNo: null,
    paidAmount: null,
    paidAt: null,
    createdAt: now,
    expiresAt: now + LIFE_MS,
    aliases: [orderId, ...(call.requestId === null ? [] : [requestAlias(call)])],
    details: detailsOf(call, wanted, orderId, request),
  };
}

function detailsOf(call: Call, wanted: OrderFields, orderId: string, request: string): OrderDetails {
  const [unit] = wanted.purchase_units;
  const context = wanted.payment_source?.paypal.experience_context ?? wanted.application_context;
  return {
    orderId,
    apiUrl: call.apiUrl,
    referenceId: unit?.reference_id ?? 'default',
    customId: unit?.custom_id ?? null,
    invoiceId: unit?.invoice_id ?? null,
    returnUrl: context?.return_url ?? null,
    cancelUrl: context?.cancel_url ?? null,
    isSourceNamed: wanted.payment_source !== undefined,
    requestId: call.requestId,
    request,
    approval: null,
  };
}
