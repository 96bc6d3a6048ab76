import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { findApplication, type Application } from '../../db/applications.ts';
import { hashOfKey } from '../../db/merchants.ts';
import { isStorable } from '../body.ts';
import type { Caller } from '../caller.ts';
import type { ApiEnv, Services } from '../env.ts';
import { VendingFailure } from './failures.ts';

/** Who calls: the headers `Appid` and `AppSecret`. @throws VendingFailure unauthenticated */
export async function identify({ db }: Services, c: Context<ApiEnv>): Promise<Application> {
  const id = c.req.header('appid') ?? '';
  const secret = c.req.header('appsecret') ?? '';
  const application = id && secret && isStorable(id) ? await findApplication(db, id) : null;
  if (!application || !timingSafeEqual(application.secretHash, hashOfKey(secret)))
    throw new VendingFailure('unauthenticated');
  return application;
}

/** An application orders and pays for its merchant, and nothing else. */
export const callerOf = ({ id, name, merchant }: Application): Caller => ({
  kind: 'key',
  key: `application:${id}`,
  scopes: new Set(['orders:read', 'orders:write', 'payments:write']),
  merchant,
  actor: { type: 'merchant', name },
});
