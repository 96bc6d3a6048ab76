import type { Alarms } from './alarms.ts';
import type { Books, Change } from './books.ts';
import type { Faults } from './faults.ts';
import type { NoticeDraft, SimulatedProvider, SimulatorLog } from './provider.ts';
import type { Notice, ProviderName } from './records.ts';

/** With `reorder_notices` a notice waits for a newer one to overtake it, but not for ever. */
const LONGEST_REORDER_MS = 5_000;

type Parts = {
  books: Books;
  faults: Faults;
  alarms: Alarms;
  now: () => number;
  log: SimulatorLog;
  /** The retry pauses are multiplied by this. */
  timeScale: number;
  providerOf: (name: ProviderName) => SimulatedProvider;
};

/** Delivers the providers' notices: at least once, until the shop accepts or the schedule ends. */
export class Notices {
  readonly #parts: Parts;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Per provider, the notice that waits to be overtaken. */
  readonly #overtaken = new Map<ProviderName, string>();
  readonly #stopping = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Writes a change and the notice about it in one line, then delivers. */
  announce(change: Change, draft: NoticeDraft | null): void {
    if (!draft) return this.#parts.books.write(change);
    const notice = this.#plan(draft);
    this.#parts.books.write({ ...change, notice });
    this.#schedule(notice);
  }

  /** After a start: what was not delivered before. Held ones go at once, since a restart ends the faults. */
  resume(): void {
    for (const notice of this.#parts.books.dueNotices()) this.#schedule(notice.held ? this.#freed(notice) : notice);
  }

  /** Sends what faults hold back. */
  release(): void {
    this.#overtaken.clear();
    for (const notice of this.#parts.books.dueNotices()) if (notice.held) this.#schedule(this.#freed(notice));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay.values());
  }

  #plan(draft: NoticeDraft): Notice {
    const { drop_notices: isLost, delay_notices_ms: delayMs = 0 } = this.#parts.faults.of(draft.provider);
    const now = this.#parts.now();
    return {
      ...draft,
      status: isLost ? 'dropped' : 'due',
      held: delayMs > 0,
      attempts: 0,
      dueAt: now + delayMs,
      lastError: null,
      createdAt: now,
    };
  }

  #freed(notice: Notice): Notice {
    const freed = { ...notice, held: false, dueAt: this.#parts.now() };
    this.#parts.books.write({ notice: freed });
    return freed;
  }

  #schedule({ id, status, dueAt }: Notice): void {
    if (status === 'due') this.#parts.alarms.set(`notice/${id}`, dueAt, () => this.#due(id));
  }

  #due(id: string): void {
    const notice = this.#parts.books.notice(id);
    if (!notice || notice.status !== 'due' || this.#underWay.has(id)) return;
    const { drop_notices: isLost, reorder_notices: isReordered } = this.#parts.faults.of(notice.provider);
    if (isLost) return this.#parts.books.write({ notice: { ...notice, status: 'dropped', held: false } });
    // Only what is told for the first time can be held or overtake: a retry is late anyway.
    const held = notice.attempts === 0 ? this.#overtaken.get(notice.provider) : undefined;
    if (isReordered && notice.attempts === 0 && held === undefined) return this.#holdForNewer(notice);
    if (held !== undefined) this.#overtaken.delete(notice.provider);
    void this.#deliver(id).then(() => (held === undefined || held === id ? undefined : this.#deliver(held)));
  }

  #holdForNewer(notice: Notice): void {
    const held = { ...notice, held: true, dueAt: this.#parts.now() + LONGEST_REORDER_MS };
    this.#parts.books.write({ notice: held });
    this.#overtaken.set(notice.provider, notice.id);
    this.#schedule(held);
  }

  #deliver(id: string): Promise<void> {
    const underWay = this.#underWay.get(id);
    if (underWay) return underWay;
    this.#parts.alarms.clear(`notice/${id}`);
    const delivery = this.#tryToDeliver(id)
      .catch((error: unknown) => this.#parts.log.warn({ notice: id, err: error }, 'a notice could not be recorded'))
      .finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, delivery);
    return delivery;
  }

  async #tryToDeliver(id: string): Promise<void> {
    const { books, faults } = this.#parts;
    await books.saved(); // The shop may not hear of what a crash could undo.
    const notice = books.notice(id);
    if (!notice || notice.status !== 'due' || this.#stopping.signal.aborted) return;
    const copies = 1 + (faults.of(notice.provider).duplicate_notices ?? 0);
    const errors = await Promise.all(Array.from({ length: copies }, () => this.#post(notice)));
    if (this.#stopping.signal.aborted) return; // Unknown whether it arrived: it is sent again after the restart.
    const isAccepted = errors.includes(null);
    const next = isAccepted ? delivered(notice) : this.#failed(notice, errors[0] ?? 'refused');
    books.write({ notice: next });
    this.#schedule(next);
  }

  #failed(notice: Notice, lastError: string): Notice {
    const { noticePausesSeconds } = this.#parts.providerOf(notice.provider);
    const attempts = notice.attempts + 1;
    const pause = noticePausesSeconds[attempts - 1];
    this.#parts.log.info({ notice: notice.id, attempts, error: lastError }, 'a notice was not accepted');
    if (pause === undefined) return { ...notice, attempts, held: false, lastError, status: 'given_up' };
    return {
      ...notice,
      attempts,
      held: false,
      lastError,
      dueAt: this.#parts.now() + pause * 1000 * this.#parts.timeScale,
    };
  }

  /** Answers what went wrong, or null. */
  async #post(notice: Notice): Promise<string | null> {
    const provider = this.#parts.providerOf(notice.provider);
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(provider.noticeTimeoutMs)]);
    try {
      const headers = provider.noticeHeaders(notice);
      const answer = await fetch(notice.url, {
        method: 'POST',
        headers,
        body: provider.noticeBody?.(notice) ?? notice.body,
        redirect: 'manual',
        signal,
      });
      const text = await answer.text();
      return provider.accepts(answer.status, text) ? null : `answered ${answer.status}`;
    } catch (error) {
      return reasonOf(error);
    }
  }
}

function delivered(notice: Notice): Notice {
  return { ...notice, attempts: notice.attempts + 1, held: false, lastError: null, status: 'delivered' };
}

/** `fetch` hides the reason (refused, reset…) in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? String(error);
}
