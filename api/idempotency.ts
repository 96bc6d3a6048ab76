import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Next } from 'hono';
import type { Kysely } from 'kysely';
import { ProviderProblem } from '../client/refused.ts';
import { claimKey, keepAnswer, releaseKey, type Claim, type KeyPlace } from '../db/idempotency.ts';
import type { Database } from '../db/schema.ts';
import type { Sealer } from '../db/sealed.ts';
import { LIMITS } from '../domain/limits.ts';
import { inBackground } from './background.ts';
import { readBytes } from './body.ts';
import type { ApiEnv, Lifecycle } from './env.ts';
import { invalid, Problem, retryAfter } from './problem.ts';

/** Carries a request out once for its Idempotency-Key, and answers repeats with what was answered first. */
export type OnceOnly = (c: Context<ApiEnv>, next: Next) => Promise<Response | void>;

/** An answer as it is kept, and given again. */
export type KeptAnswer = { status: number; headers: Record<string, string>; body: string };
type Running = { bodyHash: Buffer; answer: Promise<KeptAnswer> };

/** How long a repeat waits for the first one's answer. */
const PATIENCE_MS = 10_000;
const POLL_MS = 200;
/** A first request that fell silent (a crash) holds its key no longer than this. */
const LEASE_MS = 15_000;
const KEPT_HEADERS = ['content-type', 'location', 'etag'];

type Deps = { db: Kysely<Database>; sealer: Sealer } & Pick<Lifecycle, 'background'>;

export function onceOnly({ db, sealer, background }: Deps): OnceOnly {
  const running = new Map<string, Running>();
  return async (c, next) => {
    const place = placeOf(c);
    if (!place) return next();
    const bodyHash = createHash('sha256')
      .update(await readBytes(c))
      .digest();
    const name = answerContext(place);
    const other = running.get(name);
    if (other) return repeated(await answerOf(other, bodyHash));

    // What runs here is known to the others here at once: fifty equal requests cost one look at the database.
    const mine = firstOrKept(c, next, { db, sealer, background, place, bodyHash });
    const answer = mine.then(({ kept }) => kept);
    answer.catch(() => {}); // Perhaps nobody waits for it.
    running.set(name, { bodyHash, answer });
    try {
      const { kept, isRepeat } = await mine;
      return isRepeat ? repeated(kept) : undefined;
    } finally {
      running.delete(name);
    }
  };
}

/** Per caller, method and path. @throws Problem for a key that is none */
function placeOf(c: Context<ApiEnv>): KeyPlace | null {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return null;
  if (key.length < 1 || key.length > LIMITS.idempotencyKeyLength)
    throw invalid({ path: 'Idempotency-Key', message: `1 to ${LIMITS.idempotencyKeyLength} characters.` });
  return { scope: `${c.var.caller.key} ${c.req.method} ${c.req.path}`, key };
}

/** Where an answer is sealed for. */
export const answerContext = ({ scope, key }: KeyPlace): string => `idempotency_keys.answer/${scope}/${key}`;

type Work = Deps & { place: KeyPlace; bodyHash: Buffer };

async function firstOrKept(
  c: Context<ApiEnv>,
  next: Next,
  work: Work,
): Promise<{ kept: KeptAnswer; isRepeat: boolean }> {
  const claim = await claimOrWait(work);
  if (claim.state === 'answered') {
    const kept = work.sealer.open(claim.answer, answerContext(work.place)) as KeptAnswer;
    return { kept, isRepeat: true };
  }
  const ids = createHash('sha256')
    .update(JSON.stringify([work.place, claim.seed]))
    .digest('hex');
  c.set('seed', { ids, wish: `${ids.slice(0, 40)}/${claim.tries}` });
  await next();
  const kept = await keptOf(c.res);
  const settled = settle(c, work, kept);
  // Whoever fails may have no database either: nobody waits for that twice.
  if (kept.status >= 500) inBackground(work, settled);
  else await settled;
  return { kept, isRepeat: false };
}

/** @throws Problem if the key came with another body, or its first request takes too long */
async function claimOrWait({ db, place, bodyHash }: Work): Promise<Exclude<Claim, { state: 'running' }>> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const claim = await claimKey(db, place, bodyHash, LEASE_MS);
    if (claim.state !== 'claimed' && !claim.bodyHash.equals(bodyHash)) throw new Problem('idempotency_key_reused');
    if (claim.state !== 'running') return claim;
    if (Date.now() > end) throw inProgress();
    await sleep(POLL_MS);
  }
}

const inProgress = () => new Problem('idempotency_key_in_progress', undefined, { headers: retryAfter(1) });

async function answerOf({ bodyHash, answer }: Running, mine: Buffer): Promise<KeptAnswer> {
  if (!bodyHash.equals(mine)) throw new Problem('idempotency_key_reused');
  const patience = new AbortController();
  const tooLong = sleep(PATIENCE_MS, null, { signal: patience.signal }).catch(() => null);
  try {
    const kept = await Promise.race([answer, tooLong]);
    if (!kept) throw inProgress();
    return kept;
  } finally {
    patience.abort();
  }
}

async function keptOf(response: Response): Promise<KeptAnswer> {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status: response.status, headers: Object.fromEntries(headers), body: await response.clone().text() };
}

/** A failure of ours, or that it was too early, is not kept; the same key goes on then. What was done can't be undone by a key that is not kept. */
async function settle(c: Context<ApiEnv>, { db, sealer, place }: Work, kept: KeptAnswer): Promise<void> {
  try {
    if (kept.status >= 500 || kept.status === 429)
      return await releaseKey(db, place, { anew: c.error instanceof ProviderProblem });
    const answer = sealer.seal(kept, answerContext(place));
    await keepAnswer(db, place, { status: kept.status, answer, order: c.get('order') ?? null });
  } catch (error) {
    c.var.log.warn({ err: error }, 'an answer could not be kept for its Idempotency-Key');
  }
}

const repeated = ({ status, headers, body }: KeptAnswer): Response =>
  new Response(body || null, { status, headers: { ...headers, 'idempotency-replayed': 'true' } });
