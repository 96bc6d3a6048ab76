import { randomUUID } from 'node:crypto';
import type { PropsWithChildren } from 'hono/jsx';
import type { ApiProblem, OfferedMethod, OrderBody } from '../api.ts';
import type { Speaker } from '../speaker.ts';
import type { Device } from './devices.ts';

/** All that the checkout page shows. */
export type CheckoutView = {
  say: Speaker;
  order: OrderBody;
  /** The merchant's name. */
  shop: string;
  /** What the order can be paid with; empty once it is paid. */
  offered: OfferedMethod[];
  device: Device;
  /** Epoch milliseconds. */
  now: number;
  /** The checkout token: it is part of every address of the order's pages. */
  token: string;
  /** What was refused just now, and what had been entered. */
  refused: { problem: ApiProblem; form: FormName; entered: Entered } | null;
};

/** What a customer can send; the last part of its address. */
export type FormName = 'confirm' | 'cancel' | 'payments' | 'refunds' | 'receipt' | 'review';
export type Entered = Record<string, string>;

/** What the addresses of an order's pages are made of. */
export type OrderAddress = { order: { id: string }; token: string };

/** An address of this order's pages. */
export const pathOf = ({ order, token }: OrderAddress, rest = ''): string =>
  `/pay/${order.id}${rest}?token=${encodeURIComponent(token)}`;

/** What was entered in a form that was refused, so that nobody types it twice. */
export const enteredIn = ({ refused }: CheckoutView, form: FormName): Entered =>
  refused?.form === form ? refused.entered : {};

/** Sent twice, by a double click or a reload, it is carried out once: the key says that it is the same. */
export function CheckoutForm({ view, to, children }: PropsWithChildren<{ view: CheckoutView; to: FormName }>) {
  return (
    <form method="post" action={pathOf(view, `/${to}`)}>
      <input type="hidden" name="idempotency_key" value={randomUUID()} />
      {children}
    </form>
  );
}

/** A time, that the script tells in the reader's own time zone. */
export const Time = ({ at, say }: { at: string; say: Speaker }) => (
  <time datetime={at} data-local="">
    {say.time(at)}
  </time>
);
