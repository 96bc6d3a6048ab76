import { ApplicationFailure, patched, workflowInfo } from '@temporalio/workflow';
import type { Command, Refusal, Wish } from '../domain/commands.ts';
import { decide } from '../domain/decide.ts';
import type { OrderEvent } from '../domain/events.ts';
import { isTimelineEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import { isOpened, paymentOf, type Order, type Payment } from '../domain/order.ts';
import { instant, timelineData } from '../domain/view.ts';
import type { Save } from '../db/save.ts';
import type { DeliveryReportSignal, TimelineEntry } from './messages.ts';

/** What came by signal and is still to be looked into. */
export type Arrival =
  | { type: 'notice'; noticeId: string }
  | { type: 'decision'; refundId: string; decision: 'approve' | 'reject'; reviewer: string; note: string | null }
  | { type: 'delivery'; report: DeliveryReportSignal }
  | { type: 'doubt' };

/** What led to a change; of a wish also the id of its update. */
type Told = { command: Command; wish?: string | undefined };

/** The order inside its workflow: how it stands, what is not saved yet, and the one way to change it. */
export class OrderBook {
  readonly arrivals: Arrival[] = [];
  readonly timeline: TimelineEntry[];
  order: Order;
  /** How the order stood when this workflow task began, what happened since, and how long the history was then. */
  #base: Order;
  #sinceBase: OrderEvent[] = [];
  #task = -1;
  /** Wishes that changed the order since the base, each with the version then. */
  #wishes: { id: string; version: number }[] = [];
  #notices: string[] = [];
  #noticesSaved = 0;
  #handedOver: number;
  savedVersion: number;
  /** How many times the stored order had more, and was gone on from. */
  adoptions = 0;
  /** What led to changes that are not known to be saved. */
  #unsaved: Told[] = [];
  /** Why the stored order did not take a wish that was told to it. */
  readonly #refused = new Map<string, Refusal>();
  #unsavedHandedOver = 0;

  constructor(order: Order, timeline: TimelineEntry[]) {
    this.order = order;
    this.timeline = timeline;
    this.#base = order;
    this.#handedOver = order.version;
    this.savedVersion = order.version;
  }

  /** A wish: granted at once, or refused to whoever asked. For updates only. @param id of its update */
  do(wish: Wish, id: string): void {
    this.#write(this.check(wish), { command: wish, wish: id });
  }

  /** A fact: taken in if it still means something. For signals and results, which nobody can refuse. */
  note(command: Command): void {
    const decision = decide(this.order, command, Date.now());
    if ('events' in decision) this.#write(decision.events, { command });
  }

  /** @throws what a client will be told, if the order does not grant the wish */
  check(wish: Wish): readonly OrderEvent[] {
    const decision = decide(this.order, wish, Date.now());
    if ('events' in decision) return decision.events;
    throw failureOf(decision.refused);
  }

  /** @throws what a client will be told, if the stored order, which had more, did not grant the wish of this id */
  checkTaken(id: string): void {
    const refused = this.#refused.get(id);
    if (refused && patched('refused-by-stored')) throw failureOf(refused);
  }

  /** A notice has been looked into; the next save says so in the database. */
  noticeTaken(noticeId: string): void {
    this.#notices.push(noticeId);
  }

  hasNews(): boolean {
    return this.order.version > this.#handedOver || this.#notices.length > this.#noticesSaved;
  }

  /** All that is to be saved now. What an earlier save of the same task had is repeated: see db/save.ts. */
  handOver(): Save & { version: number } {
    const { historyLength: task, runId: run } = workflowInfo();
    if (task !== this.#task) this.#beginTask(task);
    this.#handedOver = this.order.version;
    this.#unsavedHandedOver = this.#unsaved.length;
    this.#noticesSaved = this.#notices.length;
    return {
      run,
      task,
      before: this.#base,
      events: [...this.#sinceBase],
      notices: [...this.#notices],
      wishes: this.#wishes.map(({ id }) => id),
      version: this.order.version,
    };
  }

  /** Everything handed over in earlier tasks is in the history for good: the base of this one. */
  #beginTask(task: number): void {
    const done = this.#handedOver - this.#base.version;
    this.#base = this.#sinceBase.slice(0, done).reduce(evolve, this.#base);
    this.#sinceBase = this.#sinceBase.slice(done);
    this.#wishes = this.#wishes.filter(({ version }) => version > this.#base.version);
    this.#notices = this.#notices.slice(this.#noticesSaved);
    this.#noticesSaved = 0;
    this.#task = task;
  }

  /** What was handed over is in the database. @param version of that save */
  saved(version: number): void {
    this.savedVersion = Math.max(this.savedVersion, version);
    this.#unsaved.splice(0, this.#unsavedHandedOver);
    this.#unsavedHandedOver = 0;
    if (this.savedVersion >= this.order.version) this.#unsaved = [];
  }

  /** Another run, or a lost task, has gone on with this order: what it saved counts, and what came here meanwhile is told to that. */
  adopt(order: Order, timeline: TimelineEntry[]): void {
    this.adoptions++;
    const untold = this.#unsaved.splice(0).filter(({ command }) => isAboutTheSame(command, this.order, order));
    this.#unsavedHandedOver = 0;
    this.order = order;
    this.#base = order;
    this.#sinceBase = [];
    this.#wishes = [];
    this.#handedOver = order.version;
    this.savedVersion = order.version;
    this.timeline.splice(0, this.timeline.length, ...timeline);
    for (const told of untold) this.#tellAgain(told);
  }

  #tellAgain(told: Told): void {
    const decision = decide(this.order, told.command, Date.now());
    if ('events' in decision) this.#write(decision.events, told);
    else if (told.wish !== undefined) this.#refused.set(told.wish, decision.refused);
  }

  /** A wish that is so already may be so only by what another one did: if that is not taken, it has to be told, too. */
  #restsOnUnsaved({ wish }: Told): boolean {
    return wish !== undefined && this.order.version > this.savedVersion && patched('rests-on-unsaved');
  }

  /** Synchronous on purpose: nothing can come between a decision and its effect. */
  #write(events: readonly OrderEvent[], told: Told): void {
    if (events.length > 0 || this.#restsOnUnsaved(told)) this.#unsaved.push(told);
    for (const event of events) {
      this.order = evolve(this.order, event);
      if (isTimelineEvent(event)) this.timeline.push(entryOf(event, this.order.seq));
    }
    this.#sinceBase.push(...events);
    if (events.length > 0 && told.wish !== undefined) this.#wishes.push({ id: told.wish, version: this.order.version });
  }
}

const failureOf = (refused: Refusal): ApplicationFailure =>
  ApplicationFailure.create({ type: refused.code, message: refused.detail, nonRetryable: true, details: [refused] });

/** What is stored may have another attempt by the same id: what was found about ours says nothing about that one. */
function isAboutTheSame(command: Command, ours: Order, stored: Order): boolean {
  if (!('payment' in command)) return true;
  const theirs = paymentOf(stored, command.payment);
  const same = paymentOf(ours, command.payment);
  return !theirs || (theirs.startedAt === same?.startedAt && !(isOpened(theirs) && hasRefusedToOpen(command, same)));
}

/** Some providers open an attempt only once. */
const hasRefusedToOpen = (command: Command, attempt: Payment): boolean =>
  command.type === 'payment_found' && command.finding.state === 'failed' && !isOpened(attempt);

export const entryOf = (event: Extract<OrderEvent, { type: `${string}.${string}` }>, seq: number): TimelineEntry => ({
  seq,
  type: event.type,
  at: instant(event.at),
  actor: event.by,
  data: timelineData(event),
});
