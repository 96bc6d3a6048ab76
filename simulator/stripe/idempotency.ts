import type { Books } from '../books.ts';
import type { Kept } from './platform.ts';
import { refundDetails, sessionDetails } from './platform.ts';
import { Refusal } from './refusal.ts';

/** What was answered under each Idempotency-Key (providers.md 4.1). What created something is in the books as well. */
export class KeptAnswers {
  readonly #kept = new Map<string, Kept>();

  constructor(books: Books) {
    for (const payment of books.payments().filter(({ provider }) => provider === 'stripe')) {
      this.keep(payment.merchant, sessionDetails(payment).kept);
      for (const refund of books.refundsOf(payment)) this.keep(payment.merchant, refundDetails(refund).kept);
    }
  }

  keep(account: string, kept: Kept | null): void {
    if (kept) this.#kept.set(`${account}/${kept.key}`, kept);
  }

  /** The first answer again. Throws where the key came with something else before. */
  find(account: string, key: string, request: string): Kept | undefined {
    const kept = this.#kept.get(`${account}/${key}`);
    if (!kept || kept.request === request) return kept;
    const message = 'Keys for idempotent requests can only be used with the same parameters they were first used with.';
    throw new Refusal(400, message, { type: 'idempotency_error' });
  }
}
