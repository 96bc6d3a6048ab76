import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from './journal.ts';
import { memoryJournal, openJournal } from './journal.ts';
import type { Dispensing } from './machines/records.ts';
import type { LedgerEntry, Notice, Payment, ProviderName, Refund } from './records.ts';

/** What happens at once: one line of the journal, so a crash leaves all of it or nothing. */
export type Change = { payment?: Payment; refund?: Refund; notice?: Notice; dispensing?: Dispensing };

/** Opens the books of a folder, or empty ones that live in memory. */
export async function openBooks(dataDir: string | null): Promise<Books> {
  if (dataDir === null) return new Books(memoryJournal());
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const earlier: Change[] = [];
  const journal = await openJournal(join(dataDir, 'books.jsonl'), (line) => earlier.push(JSON.parse(line) as Change));
  return new Books(journal, earlier);
}

/** All payments, refunds and notices of all providers, and what machines dispensed. A record is replaced as a whole, never changed in place. */
export class Books {
  readonly #journal: Journal;
  readonly #payments = new Map<string, Payment>();
  readonly #refunds = new Map<string, Refund>();
  readonly #notices = new Map<string, Notice>();
  readonly #dueNotices = new Set<string>();
  readonly #processingRefunds = new Set<string>();
  readonly #byNumber = new Index();
  readonly #byOrder = new Index();
  readonly #byAlias = new Index();
  readonly #refundsOf = new Index();
  readonly #noticesOf = new Index();
  readonly #dispensings = new Map<string, Dispensing>();
  readonly #openDispensings = new Set<string>();
  readonly #dispensingsOf = new Index();

  constructor(journal: Journal, earlier: readonly Change[] = []) {
    this.#journal = journal;
    for (const change of earlier) this.#apply(change);
  }

  /** Takes a change in at once; it is on disk after `saved`. */
  write(change: Change): void {
    this.#apply(change);
    this.#journal.append(JSON.stringify(change));
  }

  /** To be awaited before any answer leaves: nobody may learn what a crash could undo. */
  saved(): Promise<void> {
    return this.#journal.flushed();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  payment(id: string): Payment | undefined {
    return this.#payments.get(id);
  }

  paymentByAlias(provider: ProviderName, alias: string): Payment | undefined {
    return pick(this.#payments, this.#byAlias.get(`${provider}/${alias}`))[0];
  }

  /** Of every provider and merchant that knows the number. */
  paymentsNumbered(outTradeNo: string): Payment[] {
    return pick(this.#payments, this.#byNumber.get(outTradeNo));
  }

  paymentsOf(order: string): Payment[] {
    return pick(this.#payments, this.#byOrder.get(order));
  }

  /** Oldest first. */
  payments(): Payment[] {
    return [...this.#payments.values()];
  }

  refund(id: string): Refund | undefined {
    return this.#refunds.get(id);
  }

  refundsOf(payment: Payment): Refund[] {
    return pick(this.#refunds, this.#refundsOf.get(payment.id));
  }

  processingRefunds(): Refund[] {
    return pick(this.#refunds, this.#processingRefunds);
  }

  notice(id: string): Notice | undefined {
    return this.#notices.get(id);
  }

  noticesOf(payment: Payment): Notice[] {
    return pick(this.#notices, this.#noticesOf.get(payment.id));
  }

  dueNotices(): Notice[] {
    return pick(this.#notices, this.#dueNotices);
  }

  dispensing(id: string): Dispensing | undefined {
    return this.#dispensings.get(id);
  }

  dispensingsOf(machineNo: string): Dispensing[] {
    return pick(this.#dispensings, this.#dispensingsOf.get(machineNo));
  }

  /** Not done, or not told yet. */
  openDispensings(): Dispensing[] {
    return pick(this.#dispensings, this.#openDispensings);
  }

  /** The money that really moved, in the order in which it did. */
  ledger(): LedgerEntry[] {
    const captures = this.payments().flatMap(captureOf);
    const refunds = [...this.#refunds.values()].flatMap((refund) => this.#refundEntry(refund));
    return [...captures, ...refunds].sort((a, b) => a.at - b.at);
  }

  #refundEntry(refund: Refund): LedgerEntry[] {
    const payment = this.#payments.get(refund.payment);
    if (refund.status !== 'succeeded' || refund.settledAt === null || !payment) return [];
    const { provider, tradeNo, amount, currency, settledAt: at } = refund;
    return [{ provider, outTradeNo: payment.outTradeNo, tradeNo, type: 'refund', amount, currency, at }];
  }

  #apply({ payment, refund, notice, dispensing }: Change): void {
    if (payment) {
      this.#payments.set(payment.id, payment);
      this.#byNumber.add(payment.outTradeNo, payment.id);
      if (payment.order !== null) this.#byOrder.add(payment.order, payment.id);
      for (const alias of payment.aliases) this.#byAlias.add(`${payment.provider}/${alias}`, payment.id);
    }
    if (refund) {
      this.#refunds.set(refund.id, refund);
      this.#refundsOf.add(refund.payment, refund.id);
      keep(this.#processingRefunds, refund.id, refund.status === 'processing');
    }
    if (notice) {
      this.#notices.set(notice.id, notice);
      this.#noticesOf.add(notice.payment, notice.id);
      keep(this.#dueNotices, notice.id, notice.status === 'due');
    }
    if (dispensing) {
      const { id, machineNo, doneAt, report } = dispensing;
      this.#dispensings.set(id, dispensing);
      this.#dispensingsOf.add(machineNo, id);
      keep(this.#openDispensings, id, doneAt === null || report === 'due');
    }
  }
}

/** Which records belong to a key, in the order in which they came. */
class Index {
  readonly #ids = new Map<string, Set<string>>();

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids) ids.add(id);
    else this.#ids.set(key, new Set([id]));
  }

  get(key: string): Iterable<string> {
    return this.#ids.get(key) ?? [];
  }
}

function pick<T>(records: ReadonlyMap<string, T>, ids: Iterable<string>): T[] {
  return [...ids].flatMap((id) => records.get(id) ?? []);
}

function keep(set: Set<string>, id: string, isIn: boolean): void {
  if (isIn) set.add(id);
  else set.delete(id);
}

function captureOf({ provider, outTradeNo, tradeNo, paidAmount, paidAt, currency }: Payment): LedgerEntry[] {
  if (tradeNo === null || paidAmount === null || paidAt === null) return [];
  return [{ provider, outTradeNo, tradeNo, type: 'capture', amount: paidAmount, currency, at: paidAt }];
}
