import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { closeSession, findSession, openSession, type Session } from '../../db/sessions.ts';
import type { ApiEnv, Services } from '../../api/env.ts';
import { clientAddress } from '../client-address.ts';

const COOKIE = 'console_session';
const LASTS_MS = 12 * 3_600_000;
/** In which it is told where the browser didn't say: as the dialects' days are. */
const USUAL_ZONE = 'Asia/Shanghai';
const TRIES = { points: 10, duration: 60 };

/** Who is signed in. The browser holds a random number and nothing else; signing out makes it worthless. */
export type Sessions = ReturnType<typeof createSessions>;

export function createSessions({ db, now, publicUrl }: Services) {
  const limiter = new RateLimiterMemory(TRIES);
  const cookie = {
    path: '/console',
    httpOnly: true,
    sameSite: 'Strict',
    secure: publicUrl.startsWith('https:'),
  } as const;
  return {
    find(c: Context<ApiEnv>): Promise<Session | null> {
      const token = getCookie(c, COOKIE);
      return token ? findSession(db, token, new Date(now())) : Promise.resolve(null);
    },

    /** @returns `too_often` with the seconds to wait, where this address has tried too many keys */
    async open(
      c: Context<ApiEnv>,
      given: { key: string; timeZone: string },
    ): Promise<'signed_in' | 'wrong' | { tooOftenSeconds: number }> {
      const address = clientAddress(c);
      const wait = await secondsToWait(limiter, address);
      if (wait !== null) return { tooOftenSeconds: wait };
      const token = randomBytes(32).toString('base64url');
      const timeZone = isTimeZone(given.timeZone) ? given.timeZone : USUAL_ZONE;
      const expiresAt = new Date(now() + LASTS_MS);
      if (!(await openSession(db, { key: given.key, token, timeZone, expiresAt }))) return 'wrong';
      await limiter.delete(address); // Only failures count.
      setCookie(c, COOKIE, token, { ...cookie, maxAge: LASTS_MS / 1000 });
      return 'signed_in';
    },

    async close(c: Context<ApiEnv>): Promise<void> {
      const token = getCookie(c, COOKIE);
      if (token) await closeSession(db, token);
      deleteCookie(c, COOKIE, cookie);
    },
  };
}

/** Counts an attempt. @returns null while there are not too many */
async function secondsToWait(limiter: RateLimiterMemory, address: string): Promise<number | null> {
  try {
    await limiter.consume(address);
    return null;
  } catch (over) {
    if (!(over instanceof RateLimiterRes)) throw over;
    return Math.max(1, Math.ceil(over.msBeforeNext / 1000));
  }
}

function isTimeZone(name: string): boolean {
  try {
    return Boolean(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
