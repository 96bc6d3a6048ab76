import type { Alarms } from '../alarms.ts';
import type { Books } from '../books.ts';
import type { SimulatorLog } from '../provider.ts';
import type { Dispensing } from './records.ts';
import { sign } from './signature.ts';

/** A merchant whose machines are simulated; the backend and the shop sign with the same secret, `whsec_…`. */
export type MachineOwner = { merchant: string; secret: string };

/** How a machine behaves. `item`: only the n-th record of an order jams or is silent; `reports`: how many copies. */
export type Mode = {
  mode: 'dispense' | 'jam' | 'silent';
  delay_ms?: number | undefined;
  item?: number | undefined;
  reports?: number | undefined;
};
export type Wanted = Pick<
  Dispensing,
  'id' | 'merchant' | 'machineNo' | 'order' | 'item' | 'name' | 'quantity' | 'reportUrl'
> & {
  record: number;
};

const WORK_MS = 150;
const REPORT_TIMEOUT_MS = 5_000;
/** How long to wait after the first, second… report that was not accepted. */
const REPORT_PAUSES_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800];

type Parts = {
  books: Books;
  alarms: Alarms;
  now: () => number;
  log: SimulatorLog;
  /** The pauses are multiplied by this. */
  timeScale: number;
  owners: readonly MachineOwner[];
};

/** The machines of all merchants. How they behave is not kept over a restart; what they took is. */
export class Machines {
  readonly #parts: Parts;
  readonly #modes = new Map<string, Mode>();
  /** How often a machine was told something and stayed silent. */
  readonly #ignored = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  secretOf(merchant: string): string | undefined {
    return this.#parts.owners.find((owner) => owner.merchant === merchant)?.secret;
  }

  behave(machineNo: string, mode: Mode): void {
    this.#modes.set(machineNo, mode);
  }
  modeOf(machineNo: string): Mode {
    return this.#modes.get(machineNo) ?? { mode: 'dispense' };
  }
  ignoredBy(machineNo: string): number {
    return this.#ignored.get(machineNo) ?? 0;
  }

  /** One dispatch id is one dispensing, however often it comes. */
  take(wanted: Wanted): 'taken' | 'silent' | 'other dispatch of this id' {
    const { mode, delay_ms: delayMs = WORK_MS, item, reports = 1 } = this.modeOf(wanted.machineNo);
    const isMeant = item === undefined || item === wanted.record;
    if (mode === 'silent' && isMeant) {
      this.#ignored.set(wanted.machineNo, this.ignoredBy(wanted.machineNo) + 1);
      return 'silent';
    }
    const known = this.#parts.books.dispensing(wanted.id);
    if (known) return isSame(known, wanted) ? 'taken' : 'other dispatch of this id';
    const { record: _, ...dispatch } = wanted;
    const takenAt = this.#parts.now();
    const dispensing: Dispensing = {
      ...dispatch,
      willJam: mode === 'jam' && isMeant,
      copies: reports,
      takenAt,
      dueAt: takenAt + delayMs,
      doneAt: null,
      dispensed: 0,
      report: 'none',
      reportAttempts: 0,
      nextReportAt: null,
      lastError: null,
    };
    this.#write(dispensing);
    return 'taken';
  }

  /** After a start: what was not done or not told before. */
  resume(): void {
    for (const dispensing of this.#parts.books.openDispensings()) this.#schedule(dispensing);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  #write(dispensing: Dispensing): void {
    this.#parts.books.write({ dispensing });
    this.#schedule(dispensing);
  }

  #schedule({ id, doneAt, dueAt, report, nextReportAt }: Dispensing): void {
    const { alarms } = this.#parts;
    if (doneAt === null) return alarms.set(`machine/${id}`, dueAt, () => this.#work(id));
    if (report === 'due') alarms.set(`machine/${id}`, nextReportAt ?? 0, () => this.#tell(id));
  }

  #work(id: string): void {
    const dispensing = this.#parts.books.dispensing(id);
    if (!dispensing || dispensing.doneAt !== null) return;
    const now = this.#parts.now();
    const dispensed = dispensing.willJam ? 0 : dispensing.quantity;
    this.#write({ ...dispensing, doneAt: now, dispensed, report: 'due', nextReportAt: now });
  }

  #tell(id: string): void {
    const telling = this.#tryToTell(id)
      .catch((error: unknown) => this.#parts.log.warn({ dispatch: id, err: error }, 'a report could not be recorded'))
      .finally(() => this.#underWay.delete(telling));
    this.#underWay.add(telling);
  }

  async #tryToTell(id: string): Promise<void> {
    const { books, now, timeScale } = this.#parts;
    await books.saved(); // Nobody may hear of what a crash could undo.
    const dispensing = books.dispensing(id);
    if (!dispensing || this.#stopping.signal.aborted) return;
    const errors = await Promise.all(Array.from({ length: dispensing.copies }, () => this.#post(dispensing)));
    if (this.#stopping.signal.aborted) return; // Unknown whether it arrived: it is sent again after the restart.
    const told = { ...dispensing, reportAttempts: dispensing.reportAttempts + 1, nextReportAt: null };
    if (errors.includes(null)) return this.#write({ ...told, report: 'accepted', lastError: null });
    const pause = REPORT_PAUSES_SECONDS[dispensing.reportAttempts];
    const lastError = errors[0] ?? null;
    if (pause === undefined) return this.#write({ ...told, report: 'given_up', lastError });
    this.#write({ ...told, lastError, nextReportAt: now() + pause * 1000 * timeScale });
  }

  /** Answers what went wrong, or null. */
  async #post({ id, merchant, willJam, dispensed, reportUrl }: Dispensing): Promise<string | null> {
    const outcome = willJam
      ? { status: 'failed', dispensed, detail: 'jammed' }
      : { status: 'delivered', dispensed, detail: null };
    const body = JSON.stringify({ dispatch_id: id, ...outcome });
    const signed = sign(this.secretOf(merchant) ?? '', `rpt_${id}`, body, this.#parts.now());
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(REPORT_TIMEOUT_MS)]);
    try {
      const headers = { 'content-type': 'application/json', ...signed };
      const answer = await fetch(reportUrl, { method: 'POST', headers, body, redirect: 'manual', signal });
      await answer.arrayBuffer();
      return answer.ok ? null : `answered ${answer.status}`;
    } catch (error) {
      return String(error);
    }
  }
}

const isSame = (known: Dispensing, wanted: Wanted): boolean =>
  (['merchant', 'machineNo', 'order', 'item', 'quantity'] as const).every((field) => known[field] === wanted[field]);
