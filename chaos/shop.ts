/** The merchant's program: it repeats what got no answer, with the same key, until it has one. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO } from '../start/seed.ts';

export type Answer<T> = { status: number; body: T };
type ProblemBody = { code: string };

/** What was noticed of the API by whoever called it. */
export type Calls = {
  /** How often a call was turned away with 503 `temporarily_unavailable`, and the longest that took. Milliseconds. */
  turnedAway: number;
  slowestTurnedAwayMs: number;
  /** Which call that was. */
  slowestTurnedAway: string;
  /**
   * What no caller should ever see: 500, 503 without Retry-After or long after it was asked for, no answer in time, one
   * that is no JSON, none that counts in five minutes of asking; and what a caller sees wrong in the answers together.
   */
  improper: string[];
  /** How often each refusal came, by its code. */
  refusals: Record<string, number>;
};

export type Shop = {
  /** The last answer after five minutes of asking, if it is none that counts: status 0 for none at all. */
  call<T>(request: string, body?: object, key?: string): Promise<Answer<T>>;
  calls: Calls;
};

export const MERCHANT_KEY = DEMO.apiKey;
/** Who decides about refunds that the merchant's own key applied for. */
export const OPERATOR_KEY = DEMO.operatorKey;

const GIVE_UP_MS = 5 * 60_000;
/**
 * A server that is away is noticed within two seconds. While both are there, but no worker, a call waits for 25 (see
 * client/gateway.ts). On a machine where everything runs at once it may take longer, but not for ever. Milliseconds.
 */
const PATIENCE: Patience = { outageMs: 10_000, turnedAwayMs: 30_000, answerMs: 40_000 };
type Patience = { outageMs: number; turnedAwayMs: number; answerMs: number };
/** Which outage of a server there is now; null: none. */
type Outage = () => number | null;
const PAUSE_MS = 300;
const PROVIDER_TRIES = 3;

export function openShop(apiUrl: string, signal: AbortSignal, outage: Outage, patience = PATIENCE): Shop {
  const calls: Calls = { turnedAway: 0, slowestTurnedAwayMs: 0, slowestTurnedAway: 'none', improper: [], refusals: {} };
  return {
    calls,
    async call<T>(request: string, body?: object, key = MERCHANT_KEY): Promise<Answer<T>> {
      const idempotencyKey = randomUUID();
      const end = Date.now() + GIVE_UP_MS;
      for (let atProvider = 1; ;) {
        const answer = await once<T>(apiUrl, request, { body, key, idempotencyKey, signal, outage, patience }, calls);
        const code = answer && answer.status >= 400 ? (answer.body as ProblemBody).code : null;
        if (code === 'provider_unavailable') atProvider += 1;
        if (answer && !(mayPass(answer.status, code) && atProvider <= PROVIDER_TRIES)) {
          if (code !== null) calls.refusals[code] = (calls.refusals[code] ?? 0) + 1;
          return answer;
        }
        if (Date.now() > end) {
          calls.improper.push(`${request} was asked for five minutes, and answered ${answer?.status ?? 'never'}`);
          return answer ?? { status: 0, body: {} as T };
        }
        await sleep(PAUSE_MS, null, { signal });
      }
    },
  };
}

const mayPass = (status: number, code: string | null): boolean =>
  status === 503 || status === 429 || status === 500 || code === 'idempotency_key_in_progress';

type Sending = {
  body: object | undefined;
  key: string;
  idempotencyKey: string;
  signal: AbortSignal;
  outage: Outage;
  patience: Patience;
};

/** @returns null where there was no answer: the API is away, or was killed meanwhile */
async function once<T>(apiUrl: string, request: string, sending: Sending, calls: Calls): Promise<Answer<T> | null> {
  const [method = '', path = ''] = request.split(' ');
  const { body, key, idempotencyKey, signal, outage, patience } = sending;
  const [began, during] = [performance.now(), outage()];
  try {
    const answer = await fetch(apiUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(method === 'POST' && { 'idempotency-key': idempotencyKey }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience.answerMs)]),
    });
    const text = await answer.text();
    const read = (text === '' ? null : JSON.parse(text)) as T;
    notice(calls, request, answer, read as ProblemBody);
    const limitMs = during !== null && during === outage() ? patience.outageMs : patience.turnedAwayMs;
    if (isTurnedAway(answer.status, read)) turnedAway(calls, request, performance.now() - began, limitMs);
    return { status: answer.status, body: read };
  } catch (error) {
    if (signal.aborted) throw error;
    if ((error as Error).name === 'TimeoutError')
      calls.improper.push(`${request} had no answer within ${patience.answerMs} ms`);
    if (error instanceof SyntaxError) calls.improper.push(`${request} answered with what is no JSON`);
    return null;
  }
}

const isTurnedAway = (status: number, body: unknown): boolean =>
  status === 503 && (body as ProblemBody).code === 'temporarily_unavailable';

function notice({ improper }: Calls, request: string, { status, headers }: Response, body: ProblemBody): void {
  if (status === 500) improper.push(`${request} answered 500: ${JSON.stringify(body)}`);
  if (status === 503 && !headers.has('retry-after')) improper.push(`${request} answered 503 without Retry-After`);
}

function turnedAway(calls: Calls, request: string, ms: number, limitMs: number): void {
  calls.turnedAway += 1;
  if (ms > limitMs) calls.improper.push(`${request} answered 503 only after ${Math.round(ms)} ms`);
  if (ms > calls.slowestTurnedAwayMs)
    Object.assign(calls, { slowestTurnedAwayMs: Math.round(ms), slowestTurnedAway: request });
}
