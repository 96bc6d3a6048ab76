import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { checkedLookup, checkLiteral, systemResolve, type Resolve } from './address.ts';

/** One message to a merchant's endpoint, over a connection of its own. */

/** Whoever takes longer has not got it. Milliseconds. */
export const PATIENCE_MS = 15_000;
/** Nobody reads the answer; a short one is taken in so that the other side ends in peace. */
const MOST_BYTES = 16_384;
const ANSWER_MS = 1_000;

const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'durable-orders' };

export type PostOptions = { allowLoopback: boolean; resolve?: Resolve; patienceMs?: number; signal?: AbortSignal };
/** `retryAfter`: the header as it came. */
export type Answer = { status: number; retryAfter: string | null };

/**
 * Redirects are not followed: their answer is the answer.
 * @throws ForbiddenAddress, or what went wrong before there was an answer
 */
export async function post(
  address: string,
  headers: Record<string, string>,
  body: string,
  { allowLoopback, resolve = systemResolve, patienceMs = PATIENCE_MS, signal }: PostOptions,
): Promise<Answer> {
  const url = new URL(address);
  checkLiteral(url, allowLoopback);
  const response = await send(url, headers, body, checkedLookup(allowLoopback, resolve), patienceMs, signal);
  await drained(response);
  return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null };
}

function send(
  url: URL,
  headers: Record<string, string>,
  body: string,
  lookup: ReturnType<typeof checkedLookup>,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      lookup,
      ...(signal && { signal }),
      headers: { ...HEADERS, ...headers, 'content-length': String(Buffer.byteLength(body)) },
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    sent.end(body);
  });
}

/** The status counts, whatever becomes of the rest. */
function drained(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const enough = () => {
      clearTimeout(timer);
      response.destroy();
      resolve();
    };
    const timer = setTimeout(enough, ANSWER_MS);
    response.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MOST_BYTES) enough();
    });
    for (const event of ['end', 'error', 'close']) response.on(event, enough);
  });
}
