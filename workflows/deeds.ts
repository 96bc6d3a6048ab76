import { isCancellation } from '@temporalio/workflow';
import type { AttemptCall, RefundCall } from '../activities/calls.ts';
import { unreachable } from '../domain/brand.ts';
import type { Fact } from '../domain/commands.ts';
import type { Duty } from '../domain/duties.ts';
import type { PaymentId, RefundId } from '../domain/ids.ts';
import { outRefundNoOf } from '../domain/ids.ts';
import { providerOf, type ProviderName } from '../domain/method.ts';
import { paymentOf, refundOf, type Order, type Payment } from '../domain/order.ts';
import { openAttempt, owedActivities, tryToOpen } from './activities.ts';

/**
 * One duty, one activity; what came of it is a fact like any other.
 * @param mayBeDone it was begun before, and nobody knows how far that came
 * @param takesLonger told when a quick try failed
 */
export async function perform(
  duty: Duty,
  order: Order,
  mayBeDone: boolean,
  takesLonger: () => void,
): Promise<Fact | null> {
  switch (duty.type) {
    case 'open_attempt':
      return openingOf(order, duty.payment, takesLonger);
    case 'watch_attempt':
      return watchingOf(order, duty.payment);
    case 'capture_attempt':
      return capturingOf(order, duty.payment);
    case 'close_attempt':
      return closingOf(order, duty.payment);
    case 'confirm_payment':
      return confirmationOf(order, duty.payment);
    case 'make_refund':
      return refunding(order, duty.refund, mayBeDone);
    case 'watch_refund':
      return settling(order, duty.refund);
    case 'dispatch_item':
      return dispatching(order, duty);
    default:
      return unreachable(duty);
  }
}

async function openingOf(order: Order, id: PaymentId, takesLonger: () => void): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const call = {
    ...callOf(order, payment),
    title: order.title,
    ...(payment.buyer !== undefined && { buyer: payment.buyer }),
  };
  const opened = await tryToOpen(call).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    takesLonger();
    return openAttempt(call);
  });
  if ('action' in opened) return { type: 'payment_opened', payment: id, ...opened, by: actorFor(payment) };
  return {
    type: 'payment_found',
    payment: id,
    finding: { state: 'failed', reason: opened.refused },
    by: actorFor(payment),
  };
}

async function watchingOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const { watchAttempt } = owedActivities(`Ask ${providerOf(payment.method)} whether ${payment.outTradeNo} is paid`);
  const finding = await watchAttempt({
    ...callOf(order, payment),
    known: payment.status,
    ...(payment.watched && { until: payment.watched.until }),
  });
  return { type: 'payment_found', payment: id, finding, by: actorFor(payment) };
}

async function capturingOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const { captureAttempt } = owedActivities(`Take the money of ${payment.outTradeNo} at ${providerOf(payment.method)}`);
  const finding = await captureAttempt(callOf(order, payment));
  return { type: 'payment_found', payment: id, finding, by: actorFor(payment) };
}

async function closingOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const { closeAttempt } = owedActivities(`Close ${payment.outTradeNo} at ${providerOf(payment.method)}`);
  const finding = await closeAttempt(callOf(order, payment));
  return { type: 'payment_found', payment: id, finding, closing: true, by: actorFor(payment) };
}

async function confirmationOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const name = providerOf(payment.method);
  const { confirmPayment } = owedActivities(`Ask ${name} to confirm ${payment.outTradeNo}`);
  const known = payment.captures.filter(({ unconfirmed }) => !unconfirmed).map(({ tradeNo }) => tradeNo);
  const finding = await confirmPayment({ ...callOf(order, payment), known });
  return { type: 'payment_found', payment: id, finding, by: actorFor(payment) };
}

async function refunding(order: Order, id: RefundId, mayBeMade: boolean): Promise<Fact | null> {
  const call = refundCallOf(order, id);
  if (!call) return null;
  const { makeRefund } = owedActivities(`Refund ${call.outRefundNo} at ${call.provider}`);
  const { tries } = refundOf(order, id)!;
  const finding = await makeRefund({ ...call, mayBeMade });
  return { type: 'refund_found', refund: id, tries, finding, by: actorAt(call.provider) };
}

async function settling(order: Order, id: RefundId): Promise<Fact | null> {
  const call = refundCallOf(order, id);
  if (!call) return null;
  const { watchRefund } = owedActivities(`Ask ${call.provider} about refund ${call.outRefundNo}`);
  const { tries, astray = [] } = refundOf(order, id)!;
  const finding = await watchRefund({ ...call, mayBeUnmade: astray.length > 0 });
  return { type: 'refund_found', refund: id, tries, finding, by: actorAt(call.provider) };
}

async function dispatching(order: Order, duty: Extract<Duty, { type: 'dispatch_item' }>): Promise<Fact> {
  const { item, dispatch, quantity, mayBeTaken } = duty;
  const { dispatchItem } = owedActivities(`Dispatch ${item} to its machine`);
  const call = { order: order.id, merchant: order.merchant, item, dispatch, quantity, mayBeTaken };
  const { machineNo, finding } = await dispatchItem(call);
  return { type: 'dispatch_found', item, dispatch, finding, by: { type: 'machine', name: machineNo } };
}

const actorAt = (name: ProviderName) => ({ type: 'provider', name }) as const;
const actorFor = ({ method }: Payment) => actorAt(providerOf(method));

const callOf = (order: Order, payment: Payment): AttemptCall => ({
  order: order.id,
  merchant: order.merchant,
  method: payment.method,
  outTradeNo: payment.outTradeNo,
  reference: payment.reference ?? null,
  startedAt: payment.startedAt,
  expiresAt: payment.expiresAt,
  money: { amount: payment.amount, currency: order.currency },
  ...(payment.waiting && { openedElsewhere: true }),
});

function refundCallOf(order: Order, id: RefundId): RefundCall | null {
  const refund = refundOf(order, id)!;
  const payment = refund.source && paymentOf(order, refund.source.payment);
  const capture = payment?.captures.find(({ tradeNo }) => tradeNo === refund.source?.tradeNo);
  if (!payment || !capture) return null;
  const { method, outTradeNo, startedAt, reference = null } = payment;
  return {
    order: order.id,
    merchant: order.merchant,
    provider: providerOf(method),
    method,
    outTradeNo,
    reference,
    startedAt,
    tradeNo: capture.tradeNo,
    outRefundNo: outRefundNoOf(refund.id, refund.tries),
    askedAt: refund.triedAt ?? refund.owedSince ?? refund.createdAt,
    paid: { amount: capture.amount, currency: capture.currency },
    refund: { amount: refund.amount, currency: refund.currency },
    reason: refund.origin,
  };
}
