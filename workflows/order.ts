import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import { openOrder } from '../domain/decide.ts';
import { isSettled } from '../domain/duties.ts';
import { isTimelineEvent } from '../domain/events.ts';
import type { OrderStatus } from '../domain/order.ts';
import { SYSTEM } from '../domain/order.ts';
import { loadOrder, saveOrder } from './activities.ts';
import { Alarm } from './alarm.ts';
import { takeIn } from './arrivals.ts';
import { entryOf, OrderBook, type Arrival } from './book.ts';
import { Duties } from './duties.ts';
import { answerMessages } from './handlers.ts';
import type { OrderInput } from './messages.ts';
import { showInUi, showLabels } from './visibility.ts';

/** One order's whole life, or as much of it as was left when it was opened again. Returns how it stands at its end. */
export async function order(input: OrderInput): Promise<OrderStatus> {
  const desk = new Desk();
  answerMessages(desk);
  CancellationScope.current().cancelRequested.catch(() => desk.cancelByOperator());
  return CancellationScope.nonCancellable(async () => {
    await desk.open(input);
    await live(desk, input);
    return desk.book.order.status;
  });
}

/** After so many, a run goes on in a new one. */
const MOST_EVENTS = 1_000;

/** Takes in what came, begins what is due, saves, and otherwise waits: until nothing is owed any more. */
async function live(desk: Desk, input: OrderInput): Promise<void> {
  const { book, duties } = desk;
  for (;;) {
    await takeIn(book);
    desk.alarm.quiet();
    book.note({ type: 'time_passed', by: SYSTEM });
    duties.begin();
    if (desk.hasToSave()) await save(desk);
    else if (desk.isDone()) return;
    else if (isLong() && desk.mayGoOnAnew()) await goOnAnew(desk, input);
    else await rest(desk);
  }
}

/** Replaying costs the square of a large order's history, and has to fit into a workflow task: sooner than Temporal says. */
const isLong = (): boolean =>
  workflowInfo().continueAsNewSuggested || (workflowInfo().historyLength > MOST_EVENTS && patched('goes-on-sooner'));

/** Nothing to do before something comes or the alarm rings. A settled order is about to end: its alarm may stay. */
async function rest(desk: Desk): Promise<void> {
  if (!isSettled(desk.book.order)) desk.alarm.set(desk.duties.nextMoment());
  await condition(() => desk.isDone() || desk.hasWork());
}

/**
 * In a new run, from the stored order. What is under way may take weeks (a machine is silent, a provider can't refund): it
 * is given up here, and begun again there, knowing that it may be done already.
 */
async function goOnAnew(desk: Desk, { id }: OrderInput): Promise<void> {
  desk.duties.stop();
  await continueAsNew({ id, opened: null });
}

async function save({ book }: Desk): Promise<void> {
  const { version, ...work } = book.handOver();
  showInUi(book.order);
  const outcome = await saveOrder(work);
  if (outcome !== 'conflict') return book.saved(version);
  const stored = await loadOrder(book.order.id);
  book.adopt(stored.order, stored.timeline);
}

/** What an order's workflow works with. Messages may come before the stored order is loaded: they wait here. */
export class Desk {
  readonly arrivals: Arrival[] = [];
  readonly alarm = new Alarm();
  #book: OrderBook | null = null;
  #duties: Duties | null = null;
  #cancelled = false;

  get book(): OrderBook {
    if (!this.#book) throw new Error('the order is still being loaded');
    return this.#book;
  }
  get duties(): Duties {
    if (!this.#duties) throw new Error('the order is still being loaded');
    return this.#duties;
  }
  isOpen(): boolean {
    return this.#book !== null;
  }

  async open({ id, opened }: OrderInput): Promise<void> {
    if (opened) {
      const { order, events } = openOrder(opened);
      const timeline = events.filter(isTimelineEvent).map((event, index) => entryOf(event, index + 1));
      this.#begin(new OrderBook(order, timeline));
    } else {
      const stored = await loadOrder(id);
      showLabels(stored);
      this.#begin(new OrderBook(stored.order, stored.timeline));
    }
  }

  #begin(book: OrderBook): void {
    this.#book = book;
    this.#duties = new Duties(book);
    book.arrivals.push(...this.arrivals.splice(0));
    if (this.#cancelled) this.cancelByOperator();
  }

  arrived(arrival: Arrival): void {
    (this.#book ?? this).arrivals.push(arrival);
  }

  /** The Cancel button of the Temporal UI is one more way to ask. */
  cancelByOperator(): void {
    this.#cancelled = true;
    const by = { type: 'operator', name: null } as const;
    this.#book?.note({ type: 'cancel', because: 'merchant', applicant: 'temporal-ui', reason: null, by });
  }

  hasToSave(): boolean {
    return this.book.hasNews() && !this.duties.areAboutToTell();
  }
  hasWork(): boolean {
    return this.book.arrivals.length > 0 || this.hasToSave() || this.duties.hasFresh() || this.alarm.rang();
  }
  isQuiet(): boolean {
    return !this.book.hasNews() && !this.hasWork() && this.duties.areIdle() && allHandlersFinished();
  }
  /** Nothing is to be said or answered; duties may be under way. */
  isStill(): boolean {
    const isTold = this.book.arrivals.length === 0 && !this.book.hasNews() && !this.duties.areAboutToTell();
    return isTold && !this.alarm.rang() && allHandlersFinished();
  }
  mayGoOnAnew(): boolean {
    return this.isQuiet() || (this.isStill() && patched('goes-on-with-duties-under-way'));
  }
  isDone(): boolean {
    return isSettled(this.book.order) && this.isQuiet();
  }
}
