import { createMiddleware } from 'hono/factory';
import type { Context } from 'hono';
import { findKey, findMerchantOf, type ApiKey } from '../db/keys.ts';
import { hashOfKey } from '../db/merchants.ts';
import type { Scope } from '../db/schema.ts';
import type { Caller } from './caller.ts';
import { readCheckoutToken } from './checkout-token.ts';
import type { ApiDeps, ApiEnv } from './env.ts';
import { notFound, Problem } from './problem.ts';

/** A revoked key is refused after so long at the latest. */
const KEY_KEPT_MS = 3_000;
const MAX_KEPT_KEYS = 10_000;

/** Finds out who calls: `Authorization: Bearer <API key, operator key or checkout token>`. */
export function authenticate(deps: ApiDeps) {
  const lookUp = keptForAMoment((hash) => findKey(deps.db, Buffer.from(hash, 'hex')));
  const callerWith = async (bearer: string) => (await customerWith(deps, bearer)) ?? holderOf(bearer, lookUp);
  return createMiddleware<ApiEnv>(async (c, next) => {
    c.set('caller', c.env?.caller ?? (await callerWith(bearerOf(c))));
    await next();
  });
}

function bearerOf(c: Context): string {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  if (!bearer) throw unauthenticated('Send a key: Authorization: Bearer <key>.', 'Bearer');
  return bearer;
}

const unauthenticated = (detail: string, challenge: string) =>
  new Problem('unauthenticated', detail, { headers: { 'www-authenticate': challenge } });
const unknownBearer = () => unauthenticated('The key or token is not known.', 'Bearer error="invalid_token"');

async function customerWith({ db, sealer }: ApiDeps, bearer: string): Promise<Caller | null> {
  const order = readCheckoutToken(sealer, bearer);
  if (!order) return null;
  const merchant = await findMerchantOf(db, order);
  if (!merchant) throw unknownBearer();
  return { kind: 'customer', key: `customer:${order}`, order, merchant, actor: { type: 'customer', name: null } };
}

async function holderOf(bearer: string, lookUp: (hash: string) => Promise<ApiKey | null>): Promise<Caller> {
  const found = await lookUp(hashOfKey(bearer).toString('hex'));
  if (!found) throw unknownBearer();
  return callerOf(found);
}

/** Who holds a key. */
export function callerOf({ id, kind, name, scopes, merchant }: ApiKey): Caller {
  const actor = { type: kind === 'operator' ? 'operator' : 'merchant', name } as const;
  return { kind: 'key', key: `key:${id}`, scopes: new Set(scopes), merchant, actor };
}

/** So that a busy client costs no look-up per request. */
function keptForAMoment<T>(find: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { until: number; found: Promise<T> }>();
  return (key) => {
    const known = kept.get(key);
    if (known && known.until > Date.now()) return known.found;
    if (kept.size >= MAX_KEPT_KEYS) kept.clear();
    const found = find(key);
    kept.set(key, { until: Date.now() + KEY_KEPT_MS, found });
    found.catch(() => kept.delete(key));
    return found;
  };
}

const forbidden = ({ kind }: Caller, scope: Scope) =>
  new Problem(
    'forbidden',
    kind === 'customer' ? 'A checkout token may not do this.' : `The scope ${scope} is missing.`,
    { extra: { scope } },
  );

/** What a call needs: a key with the scope, or, where a customer may call it, the order's own token. */
export type Access = { scope: Scope; customer?: true };

/** Refuses who may not. Another order than a token's own does not exist for its customer. */
export const allow = ({ scope, customer }: Access) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const { caller } = c.var;
    const may = caller.kind === 'key' ? caller.scopes.has(scope) : customer === true;
    if (!may) throw forbidden(caller, scope);
    const order = c.req.param('id');
    if (caller.kind === 'customer' && order !== undefined && order !== caller.order) throw notFound();
    if (order !== undefined) c.set('order', order);
    await next();
  });
