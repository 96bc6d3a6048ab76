import {
  ApplicationFailure,
  CancellationScope,
  condition,
  currentUpdateInfo,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { CommandOf, Wish } from '../domain/commands.ts';
import { PAUSES } from '../domain/limits.ts';
import type { Payment } from '../domain/order.ts';
import { isOpen, isOpened, isPaid, isUnpaid, paymentOf } from '../domain/order.ts';
import { view } from '../domain/view.ts';
import { flawOf } from './flaws.ts';
import { arrivalOfDecision, arrivalOfNotice, arrivalOfReport } from './signals.ts';
import {
  deliveryReport,
  goOn,
  lookAgain,
  orderQuery,
  paymentNotification,
  refundDecision,
  timelineQuery,
  WISHES,
  type Granted,
} from './messages.ts';
import type { Arrival, OrderBook } from './book.ts';
import type { Desk } from './order.ts';

/** Lets the world speak to the order, before anything is awaited. Handlers only record; the story acts. */
export function answerMessages(desk: Desk): void {
  const tell = (arrivals: readonly Arrival[]) => arrivals.forEach((arrival) => desk.arrived(arrival));
  setHandler(orderQuery, () => view(desk.book.order), { description: 'The order, without personal data' });
  setHandler(timelineQuery, () => desk.book.timeline, { description: 'What happened to it, oldest first' });
  setHandler(paymentNotification, (signal) => tell(arrivalOfNotice(signal)), {
    description: '{"noticeId": "…"}: a verified notice is waiting in the database; sent by the API',
  });
  setHandler(refundDecision, (signal) => tell(arrivalOfDecision(signal)), {
    description: '{"refundId": "…", "decision": "approve" | "reject", "reviewer": "<operator>", "note": "…"}',
  });
  setHandler(deliveryReport, (signal) => tell(arrivalOfReport(signal)), {
    description: '{"itemId": "…", "status": "delivering" | "delivered" | "picked_up" | "failed"}',
  });
  setHandler(goOn, () => {}, { description: 'Nothing new: wakes a run that waits for its start' });
  setHandler(lookAgain, () => tell([{ type: 'doubt' }]), {
    description: 'Goes on from what is stored in the database, if that is more than the order knows here',
  });
  for (const [type, update] of Object.entries(WISHES))
    setHandler(update, (wish) => grant(desk, wish), { validator: (wish) => check(desk, type, wish) });
}

/** Refuses without a trace in the history; but never for the order's sake before the stored one is loaded. */
function check(desk: Desk, type: string, wish: Partial<Wish> | null | undefined): asserts wish is Wish {
  if (wish?.type !== type) throw refusal('invalid_request', `An update of this name takes {"type": "${type}", …}.`);
  const flaw = flawOf(wish as Wish);
  if (flaw) throw refusal('invalid_request', flaw);
  if (desk.isOpen()) desk.book.check(wish as Wish);
}

/** Done, saved, answered. Shielded: a cancellation from outside is one more wish, not an end to this one. */
function grant(desk: Desk, wish: Wish): Promise<Granted> {
  return CancellationScope.nonCancellable(async () => {
    await condition(() => desk.isOpen());
    const { book } = desk;
    const { id } = currentUpdateInfo()!;
    book.do(wish, id);
    for (;;) {
      const { payment, trouble } = await outcomeOrTrouble(desk, wish);
      const { adoptions, order } = book;
      await condition(() => book.savedVersion >= order.version || book.adoptions > adoptions);
      // Where the stored order had more, the wish has been told to that, and has its outcome there.
      book.checkTaken(id);
      if (book.adoptions > adoptions) continue;
      if (trouble) throw trouble.error;
      return { version: order.version, ...(payment && { payment: payment.id }) };
    }
  });
}

type Outcome = { payment?: Payment | undefined; trouble?: { error: unknown } };

/** Whoever asked is refused only once it is saved: the stored attempt may be open, which a lost task had opened. */
async function outcomeOrTrouble(desk: Desk, wish: Wish): Promise<Outcome> {
  try {
    return { payment: await outcomeOf(desk, wish) };
  } catch (error) {
    if (!patched('refuses-once-saved')) throw error;
    return { trouble: { error } };
  }
}

async function outcomeOf(desk: Desk, wish: Wish): Promise<Payment | undefined> {
  if (wish.type === 'open_payment') return opened(desk, wish);
  if (wish.type === 'cancel') await ended(desk);
  if (wish.type === 'retry') desk.duties.startAnew();
  return undefined;
}

/** An answer at once if nothing is open; after ten seconds it goes on by itself. */
async function ended({ book }: Desk): Promise<void> {
  const isEnded = () => !isUnpaid(book.order);
  if (!isEnded()) await condition(isEnded, PAUSES.cancellation, { summary: 'Answer the cancellation' });
}

/** Waits until the buyer can be shown something, or it is known that there will be nothing. */
async function opened(desk: Desk, wish: CommandOf<'open_payment'>): Promise<Payment> {
  const { book, duties } = desk;
  const { adoptions } = book;
  const id = book.order.payments.findLast((p) => isOpen(p) && p.method === wish.method)?.id;
  if (!id) throw notOpened(book, wish);
  const attempt = () => paymentOf(book.order, id)!;
  duties.tryAgain(`open/${id}`);
  const isKnown = () => isOpened(attempt()) || !isOpen(attempt()) || duties.troubleOf(`open/${id}`) !== undefined;
  await condition(() => book.adoptions > adoptions || isKnown());
  if (book.adoptions > adoptions) return opened(desk, wish);
  const { failure, status, closingSince } = attempt();
  // A bar code may have paid, or failed, by being opened.
  if (isOpened(attempt()) && closingSince === null && status !== 'closed') return attempt();
  if (isPaid(book.order)) throw refusal('already_paid', 'The order has been paid by another attempt.');
  if (status === 'failed') throw refusal('provider_error', failure ?? 'The provider refused the payment.');
  if (!isOpen(attempt())) throw refusal('invalid_state', 'Another payment attempt has taken the place of this one.');
  throw refusal('provider_unavailable', 'The provider does not answer. The same call again continues this attempt.');
}

/** The stored order, which had more, did not take the wish. @throws why */
function notOpened(book: OrderBook, wish: CommandOf<'open_payment'>): ApplicationFailure {
  book.check(wish);
  return refusal('invalid_state', 'Another payment attempt has taken the place of this one.');
}

const refusal = (code: string, detail: string): ApplicationFailure =>
  ApplicationFailure.create({ type: code, message: detail, nonRetryable: true, details: [{ code, detail }] });
