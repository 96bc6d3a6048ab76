/**
 * How WeChat Pay API v3 is spoken, whatever is said: signed requests, verified answers, encrypted notices
 * (providers.md 2.2–2.4, 2.9). What it means is in wechatpay.ts.
 */
import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { retryAfterMs } from '../wire/retry-after.ts';
import { BILL_LIMITS, call, parseJson, type Edge, type HttpAnswer, type HttpRequest } from './http.ts';
import { ProviderError } from './provider.ts';
import { openAes256Gcm, privateKeyFrom, publicKeyFrom, signRsaSha256, type Sealed } from './signing.ts';
import { maskedSentence } from './text.ts';
import { fetchedKeys, type PlatformKeys } from './wechatpay-certificates.ts';
import { findFlaw } from './wechatpay-seal.ts';

export type WechatPayAccount = {
  mchid: string;
  appid: string;
  /** The mini-program's own, where it is another one. */
  miniAppid?: string | undefined;
  /** Of the merchant's API certificate, upper-case hex. */
  serialNo: string;
  /** PEM; belongs to that certificate. */
  privateKey: string;
  /** 32 ASCII characters, used as they are. */
  apiV3Key: string;
  /**
   * Who may sign for WeChat Pay: PUB_KEY_ID_…, or a certificate's serial, and its PEM. Several while keys change.
   * Without it: whoever has one of the platform certificates, which are fetched.
   */
  platformKeys?: Record<string, string> | undefined;
};

export type WechatPayWire = {
  /** The verified answer; null where it has no body. @param what for messages. @throws ProviderError */
  get(what: string, path: string): Promise<unknown>;
  /** Like `get`. @param body sent as JSON. @throws ProviderError */
  post(what: string, path: string, body: unknown): Promise<unknown>;
  /** A file, at a path that a verified answer named; it isn't signed itself. @throws ProviderError */
  download(what: string, path: string): Promise<Buffer>;
  /** Why these bytes can't be taken as WeChat Pay's own; undefined if they can. @throws ProviderError busy: can't be told now */
  flawIn(headers: Headers, body: Uint8Array): Promise<string | undefined>;
  /** A text signed with our key, in base64: for what the buyer's WeChat will check. */
  sign(text: string): string;
  nonce(): string;
  /** Opens what is encrypted with the APIv3 key; undefined if it doesn't open. */
  decrypt(sealed: Sealed): Buffer | undefined;
};

/** @throws Error if the account's keys can't be what they should be; names the field */
export function wechatPayWire(account: WechatPayAccount, edge: Edge): WechatPayWire {
  const ourKey = privateKeyFrom('wechatpay privateKey', account.privateKey);
  const apiV3Key = Buffer.from(account.apiV3Key);
  if (apiV3Key.length !== 32) throw new Error('wechatpay apiV3Key: must be 32 bytes');
  const send = async (what: string, question: Question): Promise<HttpAnswer> => {
    const answer = await call(edge, `wechatpay ${what}`, signedRequest(account, ourKey, edge, question));
    if (answer.status !== 200 && answer.status !== 204) throw refusal(what, answer, edge.now());
    return answer;
  };
  const theirKeys = platformKeysOf(account, edge, () =>
    send('certificates', { method: 'GET', path: '/v3/certificates' }),
  );
  const flawIn = (headers: Headers, body: Uint8Array) => findFlaw(theirKeys.keyOf, edge.now(), headers, body);

  async function ask(what: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    await theirKeys.ready();
    const answer = await send(what, { method, path, body });
    // It may well have happened: a good answer that lost its signature on the way looks the same.
    const unverified = (flaw: string, cause?: unknown) =>
      new ProviderError('unknown', 'unverified_answer', `wechatpay ${what}: ${flaw}`, { cause });
    const flaw = await flawIn(answer.headers, answer.body).catch((error: unknown) => {
      throw error instanceof ProviderError ? unverified(error.message, error) : error;
    });
    if (flaw !== undefined) throw unverified(flaw);
    return answer.status === 204 ? null : parseJson(answer.body);
  }
  return {
    get: (what, path) => ask(what, 'GET', path),
    post: (what, path, body) => ask(what, 'POST', path, body),
    download: async (what, path) => (await send(what, { method: 'GET', path, limits: BILL_LIMITS })).body,
    flawIn,
    sign: (text) => signRsaSha256(ourKey, text),
    nonce: () => edge.nonce(),
    decrypt: (sealed) => openAes256Gcm(apiV3Key, sealed),
  };
}

function platformKeysOf(account: WechatPayAccount, edge: Edge, list: () => Promise<HttpAnswer>): PlatformKeys {
  if (account.platformKeys === undefined) return fetchedKeys(account, edge, list);
  const keys = new Map(
    Object.entries(account.platformKeys).map(([id, pem]) => [id, publicKeyFrom(`wechatpay platformKeys ${id}`, pem)]),
  );
  if (keys.size === 0) throw new Error('wechatpay platformKeys: none given, no answer could be believed');
  return { ready: async () => undefined, keyOf: async (serial) => keys.get(serial) };
}

type Question = Pick<HttpRequest, 'method' | 'limits'> & { path: string; body?: unknown };

function signedRequest(account: WechatPayAccount, key: KeyObject, edge: Edge, question: Question): HttpRequest {
  const { method, path } = question;
  const url = new URL(edge.baseUrl.replace(/\/+$/, '') + path);
  // Serialised once: the bytes that are signed are the bytes that are sent.
  const body = question.body === undefined ? null : Buffer.from(JSON.stringify(question.body));
  const signed = { method, target: url.pathname + url.search, body, epochMs: edge.now(), nonce: edge.nonce() };
  const publicKeyId = Object.keys(account.platformKeys ?? {}).find((id) => id.startsWith('PUB_KEY_ID_'));
  const headers = {
    accept: 'application/json',
    'user-agent': 'durable-orders',
    authorization: authorization(account, key, signed),
    ...(body && { 'content-type': 'application/json' }),
    // Asks for an answer signed with that key; a certificate's otherwise.
    ...(publicKeyId !== undefined && { 'wechatpay-serial': publicKeyId }),
  };
  return { method, url, headers, body, ...(question.limits && { limits: question.limits }) };
}

type Signed = { method: string; target: string; body: Uint8Array | null; epochMs: number; nonce: string };

/** The Authorization header (2.2). @param signed target: path and query as sent; epochMs: epoch milliseconds */
export function authorization(
  { mchid, serialNo }: Pick<WechatPayAccount, 'mchid' | 'serialNo'>,
  key: KeyObject,
  { method, target, body, epochMs, nonce }: Signed,
): string {
  const timestamp = Math.floor(epochMs / 1000);
  const head = Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce}\n`);
  const signature = signRsaSha256(key, Buffer.concat([head, body ?? Buffer.alloc(0), Buffer.from('\n')]));
  return (
    `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${nonce}",signature="${signature}",` +
    `timestamp="${timestamp}",serial_no="${serialNo}"`
  );
}

const Refusal = z.object({ code: z.string().regex(/^[A-Z0-9_]{1,64}$/), message: z.string().catch('') });

/** Section 2.9. It isn't signed, so it steers, and proves nothing. */
function refusal(what: string, { status, headers, body }: HttpAnswer, nowMs: number): ProviderError {
  const { data } = Refusal.safeParse(parseJson(body));
  const code = data?.code ?? `HTTP_${status}`;
  const message = `wechatpay ${what}: ${status} ${code} ${maskedSentence(data?.message ?? '')}`.trimEnd();
  const pause = retryAfterMs(headers.get('retry-after'), nowMs);
  return new ProviderError(
    outcomeOf(status, data?.code),
    code,
    message,
    pause === undefined ? {} : { retryAfterMs: pause },
  );
}

const TOO_FREQUENT = new Set(['FREQUENCY_LIMITED', 'RATELIMIT_EXCEEDED']);
const THEIR_TROUBLE = new Set(['SYSTEM_ERROR', 'SERVICE_UNAVAILABLE']);

function outcomeOf(status: number, code: string | undefined): ProviderError['outcome'] {
  if (status < 400 || status >= 500) return 'unknown'; // 202 too: accepted, ask again.
  if (status === 429) return 'busy';
  // Not WeChat Pay's words: something on the way answered, so who knows.
  if (code === undefined || THEIR_TROUBLE.has(code)) return 'unknown';
  return TOO_FREQUENT.has(code) ? 'busy' : 'refused';
}
