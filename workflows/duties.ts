import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  patched,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { dutiesOf, type Duty } from '../domain/duties.ts';
import { deadlineOf } from '../domain/time.ts';
import type { OrderBook } from './book.ts';
import { perform } from './deeds.ts';

/** A duty that was done and is still due must not spin: it rests for so long. Milliseconds. */
const REST = 60_000;
/** Opening an attempt that nobody waits for any more rests until somebody asks again. */
const UNTIL_ASKED = Number.MAX_SAFE_INTEGER;

/** So many machines of one order are told at the same time; as many that were silent are told again meanwhile. */
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
    const due = dutiesOf(this.#book.order).filter(
      (duty) => !this.#underWay.has(subjectOf(duty)) && this.#dueAt(duty) <= now,
    );
    const dispatches = this.#withinRoom(due.filter(isDispatch));
    return due.filter((duty) => !isDispatch(duty) || dispatches.includes(duty));
  }

  /** Machines that are silent take no place from those that have not been told yet. */
  #withinRoom(due: Dispatch[]): Dispatch[] {
    const underWay = [...this.#underWay.values()].map(({ duty }) => duty).filter(isDispatch);
    if (underWay.length + due.length <= DISPATCHES_AT_ONCE) return due;
    if (!patched('tells-others-while-some-are-silent')) return due.slice(0, DISPATCHES_AT_ONCE - underWay.length);
    return [true, false].flatMap((isAgain) => {
      const places = DISPATCHES_AT_ONCE - underWay.filter(({ mayBeTaken }) => mayBeTaken === isAgain).length;
      return due.filter(({ mayBeTaken }) => mayBeTaken === isAgain).slice(0, places);
    });
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

type Dispatch = Extract<Duty, { type: 'dispatch_item' }>;
const isDispatch = (duty: Duty): duty is Dispatch => duty.type === 'dispatch_item';
