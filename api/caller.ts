import type { Merchant } from '../db/keys.ts';
import type { Scope } from '../db/schema.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor } from '../domain/order.ts';

/**
 * Who calls. `key` is stable: it tells an applicant from a reviewer, and one caller's Idempotency-Keys from another's.
 * A customer came with a checkout token and sees one order only.
 */
export type Caller = { key: string; merchant: Merchant; actor: Actor } & (
  { kind: 'key'; scopes: ReadonlySet<Scope> } | { kind: 'customer'; order: OrderId }
);

/** In the timeline, and as reviewer. */
export const nameOf = ({ actor, merchant }: Caller): string => actor.name ?? merchant.name;
