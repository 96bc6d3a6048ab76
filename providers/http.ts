/** One HTTP call to a provider, limited in time and size; what can go wrong on the way, as a ProviderError. */
import { randomBytes } from 'node:crypto';
import { ProviderError } from './provider.ts';

/** The world outside an adapter: everything that a test holds in its own hand. */
export type Edge = {
  /** Origin of the provider, perhaps with a path in front. */
  baseUrl: string;
  fetch: typeof globalThis.fetch;
  /** Epoch milliseconds. */
  now: () => number;
  /** A fresh random word for every request. */
  nonce: () => string;
  /** For one whole call, its body included. */
  timeoutMs: number;
};

export type HttpRequest = {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  /** The exact bytes to send: what was signed. */
  body: Uint8Array | null;
  /** For what is longer than an answer: a bill. */
  limits?: { bytes: number; timeoutMs: number };
};

export type HttpAnswer = { status: number; headers: Headers; body: Buffer };

/** Far above any answer of any provider, far below what would hurt. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Some hundred thousand lines. */
export const BILL_LIMITS = { bytes: 64 * 1024 * 1024, timeoutMs: 60_000 };

/** The real world. */
export const realEdge = (baseUrl: string, timeoutMs = 5_000): Edge => ({
  baseUrl,
  fetch: globalThis.fetch,
  now: Date.now,
  nonce: () => randomBytes(16).toString('hex').toUpperCase(),
  timeoutMs,
});

/**
 * Any answer is returned, whatever its status; redirects aren't followed (they would leave what was signed).
 * @param what who is called for what; begins every message
 * @throws ProviderError busy where nothing can have been sent, unknown where the answer was lost (rule 7)
 */
export async function call(
  edge: Pick<Edge, 'fetch' | 'timeoutMs'>,
  what: string,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const { method, url, headers, body, limits } = request;
  const { bytes, timeoutMs } = limits ?? { bytes: MAX_ANSWER_BYTES, timeoutMs: edge.timeoutMs };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await edge.fetch(url, { method, headers, body, redirect: 'manual', signal });
    return { status: response.status, headers: response.headers, body: await readBody(what, response, bytes) };
  } catch (error) {
    throw error instanceof ProviderError ? error : lost(what, error, signal.aborted);
  }
}

async function readBody(what: string, response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop also drops the connection.
    if (size > maxBytes) throw new ProviderError('unknown', 'answer_too_large', `${what}: answer too large`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function lost(what: string, cause: unknown, timedOut: boolean): ProviderError {
  if (timedOut) return new ProviderError('unknown', 'timeout', `${what}: no answer in time`, { cause });
  if (neverConnected(cause)) return new ProviderError('busy', 'unreachable', `${what}: not reachable`, { cause });
  return new ProviderError('unknown', 'connection_broken', `${what}: connection broken`, { cause });
}

/** fetch tells the reason as the cause: one error, or one for each address that was tried. */
function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const reasons: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return reasons.length > 0 && reasons.every(isConnectError);
}

/** A connection that was open can break with the same codes, so it's the system call that counts. */
function isConnectError(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false;
  const { syscall, code } = reason as NodeJS.ErrnoException;
  return syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

/** undefined for what isn't JSON. Never the parser's own error: that one quotes the text. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
