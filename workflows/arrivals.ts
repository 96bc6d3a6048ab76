import { patched } from '@temporalio/workflow';
import type { ItemId, PaymentId, RefundId } from '../domain/ids.ts';
import { outRefundNoOf } from '../domain/ids.ts';
import { providerOf } from '../domain/method.ts';
import type { Actor, Order } from '../domain/order.ts';
import { refundOf } from '../domain/order.ts';
import { hasApplied } from '../domain/review.ts';
import type { NoticeFinding } from '../activities/calls.ts';
import { findReviewer, loadOrder, readNotice } from './activities.ts';
import type { Arrival, OrderBook } from './book.ts';
import type { DeliveryReportSignal } from './messages.ts';

/** Looks into everything that came by signal, in the order in which it came. */
export async function takeIn(book: OrderBook): Promise<void> {
  for (let arrival = book.arrivals.shift(); arrival; arrival = book.arrivals.shift()) await look(book, arrival);
}

async function look(book: OrderBook, arrival: Arrival): Promise<void> {
  switch (arrival.type) {
    case 'notice':
      return takeNotice(book, arrival.noticeId);
    case 'decision':
      return takeDecision(book, arrival);
    case 'delivery':
      return takeReport(book, arrival.report);
    case 'doubt':
      return takeStored(book);
  }
}

/** A lost task may have saved what this run knows nothing of; whoever looked at the order since then has seen it. */
async function takeStored(book: OrderBook): Promise<void> {
  const { order, timeline } = await loadOrder(book.order.id);
  if (order.version > book.savedVersion) book.adopt(order, timeline);
}

/** The signal names a row; only what the verified row says counts. */
async function takeNotice(book: OrderBook, noticeId: string): Promise<void> {
  const notice = await readNotice({ noticeId, order: book.order.id });
  if (!notice) return;
  const by: Actor = { type: 'provider', name: notice.provider };
  if (notice.about === 'payment') {
    const payment = attemptOf(book.order, notice) ?? (await lostAttempt(book, notice));
    const sayer: Actor = notice.told ? { type: 'merchant', name: null } : by;
    if (payment && notice.ours) book.note({ type: 'payment_found', payment, finding: notice.finding, by: sayer });
    else if (payment) book.note({ type: 'foreign_notice_found', payment, by });
  } else {
    const refund = refundNumbered(book.order, notice.outRefundNo);
    const payment = refund && refundOf(book.order, refund.refund)?.source?.payment;
    if (refund && notice.ours) book.note({ type: 'refund_found', ...refund, finding: notice.finding, by });
    else if (payment && patched('foreign-notices-of-refunds')) book.note({ type: 'foreign_notice_found', payment, by });
  }
  book.noticeTaken(noticeId);
}

type AboutPayment = Extract<NoticeFinding, { about: 'payment' }>;

/** One number may stand for an attempt at each of several providers. */
const attemptOf = (order: Order, { provider, outTradeNo }: AboutPayment): PaymentId | undefined =>
  order.payments.find((one) => one.outTradeNo === outTradeNo && providerOf(one.method) === provider)?.id;

/**
 * A worker can die after it saved an attempt, and the wish for it be lost with the task: the buyer may have seen it in
 * the database all the same, and paid. The order takes up what is stored before the next save takes it back.
 */
async function lostAttempt(book: OrderBook, notice: AboutPayment): Promise<PaymentId | undefined> {
  const { order, timeline } = await loadOrder(book.order.id);
  if (attemptOf(order, notice)) book.adopt(order, timeline);
  return attemptOf(book.order, notice);
}

/** The refund that goes by this number, and by which of its tries: a number that failed may prove good after all. */
function refundNumbered(order: Order, outRefundNo: string): { refund: RefundId; tries: number } | undefined {
  for (const { id, tries: last } of order.refunds)
    for (let tries = last; tries >= 0; tries--)
      if (outRefundNoOf(id, tries) === outRefundNo)
        return tries === last || patched('refunds-that-had-failed') ? { refund: id, tries } : undefined;
  return undefined;
}

/** Counts only if it names an operator of that merchant who may review; otherwise it stands in the timeline. */
async function takeDecision(book: OrderBook, decided: Extract<Arrival, { type: 'decision' }>): Promise<void> {
  const { decision, note } = decided;
  const refund = refundOf(book.order, decided.refundId as RefundId);
  if (!refund) return;
  const found = await findReviewer({ merchant: book.order.merchant, name: decided.reviewer });
  const by: Actor = { type: 'operator', name: decided.reviewer };
  const ignored = (why: string) =>
    book.note({ type: 'review_ignored', refund: refund.id, decision, reviewer: decided.reviewer, note, why, by });
  if (!found) return ignored('not an operator who may review');
  const { fourEyes = book.order.fourEyes, ...reviewer } = found;
  if (fourEyes && hasApplied(refund, reviewer)) return ignored('applied for it (four eyes)');
  book.note({ type: 'review_refund', refund: refund.id, decision, reviewer, fourEyes, note, by });
}

function takeReport(book: OrderBook, report: DeliveryReportSignal): void {
  const { itemId, status, quantity, dispatch, tracking, detail, by } = report;
  book.note({
    type: 'delivery_reported',
    item: itemId as ItemId,
    status,
    quantity: quantity ?? null,
    dispatch: dispatch ?? null,
    tracking: tracking ?? null,
    detail: detail ?? null,
    by: by ?? { type: 'operator', name: null },
  });
}
