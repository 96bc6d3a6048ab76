import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Books, Change } from './books.ts';
import type { Faults } from './faults.ts';
import type { Notice, Payment, ProviderName, Refund } from './records.ts';
import type { Statements } from './statements.ts';

/** Routes see Node's own request: signatures cover the target as it was sent. */
export type Env = { Bindings: HttpBindings };

/** Any pino logger fits. */
export type SimulatorLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/** What a buyer can do with a payment. */
export type BuyerWish = { action: 'pay' | 'fail' | 'cancel' | 'start'; amount?: number | undefined };

export type NoticeDraft = Pick<
  Notice,
  'id' | 'provider' | 'merchant' | 'payment' | 'event' | 'url' | 'body' | 'details'
>;

/** What every simulated provider shares. */
export type Desk = {
  books: Books;
  faults: Faults;
  statements: Statements;
  now: () => number;
  /** How the outside sees the simulator: no slash at the end. */
  origin: () => string;
  /** Writes a change together with the notice about it, and sees to its delivery. */
  announce(change: Change, notice: NoticeDraft | null): void;
  /** Settles the refund by itself, at its `settlesAt`. */
  settleLater(refund: Refund): void;
};

/** One provider's side of the wire. To add a provider: write one of these and list it in `server.ts`. */
export interface SimulatedProvider {
  readonly name: ProviderName;
  /** The provider's own paths (faults apply to them). */
  readonly routes: Hono<Env>;
  /** Pages that a buyer opens (faults don't apply). */
  readonly pages: Hono<Env>;
  /** What only this provider can be made to do, below `/_control/{name}`. */
  readonly controls?: Hono<Env>;
  /** The published schedule: how long to wait after the first, second… failed delivery. */
  readonly noticePausesSeconds: readonly number[];
  readonly noticeTimeoutMs: number;
  /** Signs a delivery, freshly each time. */
  noticeHeaders(notice: Notice): Record<string, string>;
  /** Where the signature stands in the body; else a notice's body is sent as it is. */
  noticeBody?(notice: Notice): string;
  accepts(status: number, body: string): boolean;
  /** Where a person opens the payment. */
  linkTo(payment: Payment): string;
  /** Called only while the buyer still may: unpaid, and open or forced. */
  buyer(payment: Payment, wish: BuyerWish): void;
  /** Brings a processing refund to its end. */
  settle(refund: Refund): void;
}
