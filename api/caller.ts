import type { Merchant } from '../db/keys.ts';
import type { Scope } from '../db/schema.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor } from '../domain/order.ts';
import { personNamed } from '../domain/review.ts';

/**
 * Who calls. `key` is stable: it tells one caller's Idempotency-Keys from another's.
 * A customer came with a checkout token and sees one order only.
 */
export type Caller = { key: string; merchant: Merchant; actor: Actor } & (
  { kind: 'key'; scopes: ReadonlySet<Scope> } | { kind: 'customer'; order: OrderId }
);

/**
 * Who applies for a refund or decides about it: an operator is the same person by whichever key, so that four eyes are
 * those of two people.
 */
export const personOf = ({ key, actor }: Caller): string =>
  actor.type === 'operator' && actor.name !== null ? personNamed(actor.name) : key;

/** In the timeline, and as reviewer. */
export const nameOf = ({ actor, merchant }: Caller): string => actor.name ?? merchant.name;
