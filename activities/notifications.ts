import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import {
  claimDue,
  disableEndpoint,
  endAttempt,
  findEnabled,
  findUntold,
  nextAttemptAt,
  pauseEndpoint,
} from '../db/notifications.ts';
import type { Claimed } from '../db/notifications.ts';
import { proven } from '../db/doubts.ts';
import { settle, takeUnsettled, type Unsettled } from '../db/unsettled.ts';
import { openSecrets, type Endpoint } from '../db/endpoints.ts';
import { pauseAfter } from '../domain/notification.ts';
import { notificationAttempts } from '../notifications/attempts.ts';
import { post, type Answer } from '../notifications/post.ts';
import { retryAfterMs } from '../wire/retry-after.ts';
import { signedHeaders, signerOf } from '../wire/standard-webhooks.ts';
import type { Deps } from './index.ts';
import { bodyOf } from './notification-body.ts';

/** Messages at once to one endpoint; of one order never two. */
const BATCH = 20;
const GONE = 410;
const TOO_MANY = 429;
const UNAVAILABLE = 503;

/** `at`: the workflow's time, epoch milliseconds. */
export type DeliverCall = { endpoint: string; at: number };
/** When to come again, epoch milliseconds; null: nothing waits. */
export type Delivered = { next: number | null };

export function notificationActivities(deps: Deps) {
  const { db, notifiers, now } = deps;
  return {
    /** Sends what is due. May be repeated: what was under way is sent again after a while, with the same id. */
    async deliverNotifications({ endpoint: id, at }: DeliverCall): Promise<Delivered> {
      setMaxListeners(BATCH + 10, Context.current().cancellationSignal);
      const endpoint = await findEnabled(db, id);
      if (!endpoint) return { next: null };
      const time = Math.max(at, now());
      await settleDue(deps, id, new Date(time));
      const claimed = await claimDue(db, id, new Date(time), BATCH);
      await Promise.all(claimed.map((one) => attempt(deps, endpoint, one, time)));
      const next = await nextAttemptAt(db, id);
      return { next: next && next.getTime() };
    },

    /** What a crash, or an outage of Temporal, left untold. */
    async wakeNotifiers(): Promise<number> {
      const left = await findUntold(db, new Date(now() - GRACE), MOST_ENDPOINTS);
      for (const endpoint of left) await notifiers.tell(endpoint);
      return left.length;
    },
  };
}
/** Younger ones are still in the hands of a notifier. Milliseconds. */
const GRACE = 5_000;
const MOST_ENDPOINTS = 200;

/** A workflow task that is repeated, after an outage perhaps much later, may take back what it had saved. */
async function settleDue(deps: Deps, endpoint: string, at: Date): Promise<void> {
  const { db, log } = deps;
  const unsettled = await takeUnsettled(db, endpoint, at, BATCH);
  const settled = await Promise.all(
    unsettled.map(async (one) => {
      try {
        return (await isSettled(deps, one)) ? [one] : [];
      } catch (error) {
        const { order, merchant } = one;
        log.warn({ order, merchant, err: error }, 'could not ask whether an order has settled');
        return [];
      }
    }),
  );
  await settle(db, endpoint, settled.flat(), at);
}

/**
 * An order at rest may know less than is stored: a lost task that granted a wish leaves no trace, and one that is repeated
 * may have come no further than to its save.
 */
async function isSettled({ db, gateway }: Deps, { order, save, isUnproven }: Unsettled): Promise<boolean> {
  if ((await gateway.stateOf(order)) === 'closed') return true;
  if (!(await gateway.knows(order, save))) return false;
  if (isUnproven) await proven(db, { id: order, version: save.version });
  return true;
}

type Outcome = { answer: Answer | null; error: string | null };

async function attempt(deps: Deps, endpoint: Endpoint, claimed: Claimed, at: number): Promise<void> {
  const { db, log } = deps;
  const began = performance.now();
  const { answer, error } = await sent(deps, endpoint, claimed, at);
  const asked =
    answer && [TOO_MANY, UNAVAILABLE].includes(answer.status) ? (retryAfterMs(answer.retryAfter, at) ?? null) : null;
  const next = error === null ? null : nextTry(claimed.tries, at, asked);
  const status = answer?.status ?? null;
  const durationMs = Math.round(performance.now() - began);
  notificationAttempts.observe({ outcome: outcomeOf(status, error, next) }, durationMs / 1000);
  await endAttempt(db, claimed, { attempt: claimed.attempt, status, durationMs, error, next }, new Date(at));
  if (status === GONE) await disableEndpoint(db, endpoint.id);
  if (asked !== null) await pauseEndpoint(db, endpoint.id, new Date(at + asked));
  if (error === null) return;
  const { id: notification, order_id: order, merchant_id: merchant } = claimed;
  log.info({ order, merchant, notification, endpoint: endpoint.id, status }, 'a merchant was not told');
}

function outcomeOf(status: number | null, error: string | null, next: Date | null): string {
  if (error === null) return 'delivered';
  if (status === GONE) return 'gone';
  return next === null ? 'given_up' : 'failed';
}

function nextTry(tries: number, at: number, asked: number | null): Date | null {
  const pause = pauseAfter(tries, Math.random());
  return pause === null ? null : new Date(at + Math.max(pause, asked ?? 0));
}

async function sent(deps: Deps, endpoint: Endpoint, claimed: Claimed, at: number): Promise<Outcome> {
  const { sealer, allowLoopback } = deps;
  const secrets = openSecrets(sealer, endpoint, at).map(({ secret }) => secret);
  if (secrets.length === 0) return { answer: null, error: 'the endpoint has no secret: rotate it' };
  const body = await bodyOf(deps.db, claimed);
  try {
    const headers = signedHeaders(secrets.map(signerOf), claimed.id, body, at);
    const answer = await post(endpoint.url, headers, body, {
      allowLoopback,
      signal: Context.current().cancellationSignal,
    });
    return { answer, error: answer.status >= 200 && answer.status < 300 ? null : `answered ${answer.status}` };
  } catch (error) {
    return { answer: null, error: messageOf(error) };
  }
}

/** Node gives several failed connections as one error without a message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
