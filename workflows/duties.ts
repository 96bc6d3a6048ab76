import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { unreachable } from '../domain/brand.ts';
import type { Fact } from '../domain/commands.ts';
import { dutiesOf, type Duty } from '../domain/duties.ts';
import type { PaymentId, RefundId } from '../domain/ids.ts';
import { outRefundNoOf } from '../domain/ids.ts';
import { providerOf, type ProviderName } from '../domain/method.ts';
import { paymentOf, refundOf, type Order, type Payment } from '../domain/order.ts';
import { deadlineOf } from '../domain/time.ts';
import type { AttemptCall, RefundCall } from '../activities/calls.ts';
import { openAttempt, owedActivities, tryToOpen } from './activities.ts';
import type { OrderBook } from './book.ts';

/** A duty that was done and is still due must not spin: it rests for so long. Milliseconds. */
const REST = 60_000;
/** Opening an attempt that nobody waits for any more rests until somebody asks again. */
const UNTIL_ASKED = Number.MAX_SAFE_INTEGER;

/** So many machines of one order are told at the same time. */
const DISPATCHES_AT_ONCE = 10;

/** Carries out what the order owes the world: each duty once at a time, one per payment, refund or item at a time. */
export class Duties {
  readonly #book: OrderBook;
  readonly #underWay = new Map<string, { duty: Duty; scope: CancellationScope }>();
  /** Of duties whose quick try runs within the workflow task. */
  readonly #quickTries = new Set<CancellationScope>();
  /** Every duty that was ever begun, by key. */
  readonly #begun = new Set<string>();
  readonly #resting = new Map<string, { until: number; trouble: string }>();

  constructor(book: OrderBook) {
    this.#book = book;
  }

  /** Begins what is due, and stops what is owed no more. */
  begin(): void {
    const owed = new Set(dutiesOf(this.#book.order).map(({ key }) => key));
    for (const [subject, { duty }] of this.#underWay) if (!owed.has(duty.key)) this.#stop(subject);
    for (const duty of this.#fresh()) this.#start(duty);
  }

  hasFresh(): boolean {
    return this.#fresh().length > 0;
  }
  areIdle(): boolean {
    return this.#underWay.size === 0;
  }

  /** A quick try is about to tell more: saving before it would be saving twice. */
  areAboutToTell(): boolean {
    return this.#quickTries.size > 0;
  }

  /** When the next thing is due by time alone. Epoch milliseconds; null: nothing is. */
  nextMoment(): number | null {
    const later = dutiesOf(this.#book.order)
      .filter((duty) => !this.#underWay.has(subjectOf(duty)))
      .map((duty) => this.#dueAt(duty))
      .filter((at) => at > Date.now() && at < UNTIL_ASKED);
    const moments = [deadlineOf(this.#book.order), ...later].filter((at) => at !== null);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Why a duty could not be done, while it rests. */
  troubleOf(key: string): string | undefined {
    return this.#resting.get(key)?.trouble;
  }
  tryAgain(key: string): void {
    this.#resting.delete(key);
  }
  /** An operator wants everything tried again now, whatever pause it is in. */
  startAnew(): void {
    this.#resting.clear();
    this.stop();
  }
  /** What is under way is given up; it is owed as before, and `begin` begins it anew. */
  stop(): void {
    for (const subject of this.#underWay.keys()) this.#stop(subject);
  }

  /** Forgotten at once: in a replay its rejection may come at another moment between results of local activities. */
  #stop(subject: string): void {
    const stopped = this.#underWay.get(subject);
    if (!stopped) return;
    stopped.scope.cancel();
    this.#underWay.delete(subject);
    this.#quickTries.delete(stopped.scope);
  }

  #fresh(): Duty[] {
    const now = Date.now();
    let room = DISPATCHES_AT_ONCE - [...this.#underWay.values()].filter(({ duty }) => isDispatch(duty)).length;
    return dutiesOf(this.#book.order)
      .filter((duty) => !this.#underWay.has(subjectOf(duty)) && this.#dueAt(duty) <= now)
      .filter((duty) => !isDispatch(duty) || room-- > 0);
  }
  #dueAt = (duty: Duty): number => Math.max(duty.dueAt, this.#resting.get(duty.key)?.until ?? 0);

  #start(duty: Duty): void {
    const scope = new CancellationScope();
    const subject = subjectOf(duty);
    this.#underWay.set(subject, { duty, scope });
    this.#resting.delete(duty.key);
    const mayBeDone = this.#begun.has(duty.key) || mayBeBegunElsewhere(duty);
    this.#begun.add(duty.key);
    void scope
      .run(() => this.#attempt(duty, scope, mayBeDone))
      .finally(() => this.#isUnderWay(duty, scope) && this.#underWay.delete(subject));
  }

  #isUnderWay = (duty: Duty, scope: CancellationScope): boolean => this.#underWay.get(subjectOf(duty))?.scope === scope;

  async #attempt(duty: Duty, scope: CancellationScope, mayBeDone: boolean): Promise<void> {
    let trouble = 'done, but still due';
    try {
      if (duty.type === 'open_attempt') this.#quickTries.add(scope);
      const fact = await perform(duty, this.#book.order, mayBeDone, () => this.#quickTries.delete(scope));
      if (fact) this.#book.note(fact);
    } catch (error) {
      if (isCancellation(error)) return void this.#quickTries.delete(scope);
      // A failed local activity throws the bare failure. Anything else is a bug: stop here until it is mended.
      if (!(error instanceof ActivityFailure || error instanceof ApplicationFailure || error instanceof TimeoutFailure))
        throw error;
      trouble = error instanceof ActivityFailure ? String(error.cause?.message ?? error.message) : error.message;
    }
    this.#quickTries.delete(scope);
    if (!this.#isUnderWay(duty, scope)) return;
    const stillDue = dutiesOf(this.#book.order).some(({ key }) => key === duty.key);
    // Watching goes on at once: it found something new, such as the buyer at it.
    const until = duty.type === 'open_attempt' ? UNTIL_ASKED : Date.now() + REST;
    if (stillDue && duty.type !== 'watch_attempt') this.#resting.set(duty.key, { until, trouble });
  }
}

/** By an earlier run. One that an operator's reset made keeps the start of the run that it goes on from, and its name. */
function mayBeBegunElsewhere(duty: Duty): boolean {
  const { runId, firstExecutionRunId, runStartTime } = workflowInfo();
  return runId !== firstExecutionRunId || duty.since < runStartTime.getTime();
}

/** Two calls about one payment, one refund or one item must not overtake each other. */
function subjectOf(duty: Duty): string {
  if ('payment' in duty) return duty.payment;
  return 'refund' in duty ? duty.refund : duty.item;
}

const isDispatch = ({ type }: Duty): boolean => type === 'dispatch_item';

/**
 * One duty, one activity; what came of it is a fact like any other.
 * @param mayBeDone it was begun before, and nobody knows how far that came
 * @param takesLonger told when a quick try failed
 */
async function perform(duty: Duty, order: Order, mayBeDone: boolean, takesLonger: () => void): Promise<Fact | null> {
  switch (duty.type) {
    case 'open_attempt':
      return openingOf(order, duty.payment, takesLonger);
    case 'watch_attempt':
      return watchingOf(order, duty.payment);
    case 'capture_attempt':
      return capturingOf(order, duty.payment);
    case 'close_attempt':
      return closingOf(order, duty.payment);
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
  if ('action' in opened) return { type: 'payment_opened', payment: id, ...opened, by: providerFor(payment) };
  return {
    type: 'payment_found',
    payment: id,
    finding: { state: 'failed', reason: opened.refused },
    by: providerFor(payment),
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
  return { type: 'payment_found', payment: id, finding, by: providerFor(payment) };
}

async function capturingOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const { captureAttempt } = owedActivities(`Take the money of ${payment.outTradeNo} at ${providerOf(payment.method)}`);
  const finding = await captureAttempt(callOf(order, payment));
  return { type: 'payment_found', payment: id, finding, by: providerFor(payment) };
}

async function closingOf(order: Order, id: PaymentId): Promise<Fact> {
  const payment = paymentOf(order, id)!;
  const { closeAttempt } = owedActivities(`Close ${payment.outTradeNo} at ${providerOf(payment.method)}`);
  const finding = await closeAttempt(callOf(order, payment));
  return { type: 'payment_found', payment: id, finding, closing: true, by: providerFor(payment) };
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
const providerFor = ({ method }: Payment) => actorAt(providerOf(method));

const callOf = (order: Order, payment: Payment): AttemptCall => ({
  order: order.id,
  merchant: order.merchant,
  method: payment.method,
  outTradeNo: payment.outTradeNo,
  reference: payment.reference ?? null,
  startedAt: payment.startedAt,
  expiresAt: payment.expiresAt,
  money: { amount: payment.amount, currency: order.currency },
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
