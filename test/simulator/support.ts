/** What the simulator's tests share: merchants, calls signed without the simulator's code, a shop that takes notices. */
import { createPublicKey, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aes, Formatter, Rsa, Wechatpay } from 'wechatpay-axios-plugin';
import type { Simulator, SimulatorOptions, WechatpayMerchant } from '../../simulator/server.ts';
import { startSimulator } from '../../simulator/server.ts';

type Vector = Record<string, string> & { name: string; kind: string; headers: Record<string, string> };

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

export const keys = read('keys') as Record<string, Record<string, string>>;
export const vectors = (read('wechat') as { vectors: Vector[] }).vectors;

/** A private key of the vectors. */
export const privateKey = (name: string): string => keys[name]?.['private_pkcs8_pem'] ?? '';
export const publicKeyOf = (privatePem: string): string =>
  createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }) as string;

export const API_V3_KEY = '0123456789abcdefABCDEF0123456789';
export const MCHID = '1900000109';
export const APPID = 'wxd678efh567hg6787';

export const merchant: WechatpayMerchant = {
  mchid: MCHID,
  appids: [APPID, 'wx2'],
  serialNo: '444F4864EA9B34415A5B5C5D5E5F606162636465',
  publicKeyPem: publicKeyOf(privateKey('wechat_merchant')),
  apiV3Key: API_V3_KEY,
};

/** Another merchant, with another key and another APIv3 key. */
export const otherMerchant: WechatpayMerchant = {
  mchid: '1900000222',
  appids: ['wx-other'],
  serialNo: 'ABCDEF',
  publicKeyPem: publicKeyOf(privateKey('alipay_app')),
  apiV3Key: 'another-merchants-own-apiv3-key!',
};

/** On any free port, in memory, unless said otherwise. Retries come after 15 ms instead of 15 s. */
export function simulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  return startSimulator({
    port: 0,
    dataDir: null,
    merchants: [merchant, otherMerchant],
    noticeTimeScale: 0.001,
    ...options,
  });
}

let counter = 0;
const run = Date.now().toString(36);

/** A number that no other test uses. */
export const freshNumber = (prefix = 'T'): string => `${prefix}${run}${(counter += 1)}`;

/** The body of a native payment that the platform takes. */
export function nativeBody(changes: Record<string, unknown> = {}): Record<string, unknown> & { out_trade_no: string } {
  return {
    appid: APPID,
    mchid: MCHID,
    description: '绿茶 2 盒',
    out_trade_no: freshNumber(),
    notify_url: 'http://127.0.0.1:9/nobody',
    amount: { total: 8888, currency: 'CNY' },
    ...changes,
  };
}

export type CallOptions = {
  serial?: string;
  mchid?: string;
  serialNo?: string;
  key?: string;
  timestamp?: string;
  /** What is signed instead of the body that is sent. */
  signedBody?: string;
  headers?: Record<string, string>;
};

/** The headers of a signed call, by node:crypto only. */
export function signedHeaders(
  method: string,
  target: string,
  body: string,
  options: CallOptions = {},
): Record<string, string> {
  const { serial, mchid = MCHID, serialNo = merchant.serialNo, key = privateKey('wechat_merchant') } = options;
  const timestamp = options.timestamp ?? String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(16).toString('hex');
  const text = `${method}\n${target}\n${timestamp}\n${nonce}\n${options.signedBody ?? body}\n`;
  const signature = sign('sha256', Buffer.from(text), key).toString('base64');
  return {
    accept: 'application/json',
    'user-agent': 'tests',
    'content-type': 'application/json',
    authorization:
      `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${nonce}",signature="${signature}",` +
      `timestamp="${timestamp}",serial_no="${serialNo}"`,
    ...(serial !== undefined && { 'wechatpay-serial': serial }),
    ...options.headers,
  };
}

/** A signed call. `body` is sent as it is where it is text. */
export async function call(
  { url }: Pick<Simulator, 'url'>,
  method: string,
  target: string,
  body?: unknown,
  options: CallOptions = {},
) {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = signedHeaders(method, target, text, options);
  const answer = await fetch(`${url}${target}`, { method, headers, body: body === undefined ? null : text });
  const raw = await answer.text();
  return { status: answer.status, headers: answer.headers, raw, json: raw ? (JSON.parse(raw) as Json) : null };
}

export type Json = Record<string, unknown>;

/** Opens a native payment; answers its number and code_url. */
export async function opened(at: Pick<Simulator, 'url'>, changes: Record<string, unknown> = {}, options?: CallOptions) {
  const body = nativeBody(changes);
  const { status, json, raw } = await call(at, 'POST', '/v3/pay/transactions/native', body, options);
  if (status !== 200) throw new Error(`not opened: ${status} ${raw}`);
  return { outTradeNo: body.out_trade_no, codeUrl: String(json?.['code_url']), body };
}

export async function query(at: Pick<Simulator, 'url'>, outTradeNo: string): Promise<Json> {
  const { json } = await call(at, 'GET', `/v3/pay/transactions/out-trade-no/${outTradeNo}?mchid=${MCHID}`);
  return json ?? {};
}

/** Asks for a refund of a payment of 8888. */
export function refund(
  at: Pick<Simulator, 'url'>,
  outTradeNo: string,
  amount: number,
  changes: Record<string, unknown> = {},
) {
  const body = {
    out_trade_no: outTradeNo,
    out_refund_no: freshNumber('R'),
    amount: { refund: amount, total: 8888, currency: 'CNY' },
    ...changes,
  };
  return call(at, 'POST', '/v3/refund/domestic/refunds', body);
}

/** A control call. */
export async function control(
  { url }: Pick<Simulator, 'url'>,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const sent = body === undefined ? {} : { body: text, headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}/_control${path}`, { method, ...sent });
  return { status: answer.status, json: (await answer.json()) as Json };
}

export const pay = (at: Pick<Simulator, 'url'>, outTradeNo: string, more: Json = {}) =>
  control(at, 'POST', `/payments/${outTradeNo}`, { action: 'pay', ...more });

export const faults = (at: Pick<Simulator, 'url'>, settings: Json) => control(at, 'POST', '/faults', settings);
export const endFaults = (at: Pick<Simulator, 'url'>) => control(at, 'DELETE', '/faults');

export async function ledgerOf(at: Pick<Simulator, 'url'>, outTradeNo: string): Promise<Json[]> {
  const { json } = await control(at, 'GET', '/ledger');
  return (json['data'] as Json[]).filter((row) => row['out_trade_no'] === outTradeNo);
}

/** The independent client, which verifies every answer against the platform's keys. */
export function wechatpayClient({ url, wechatpay }: Simulator, serial?: string): Wechatpay {
  const certificates = wechatpay.platformCertificates.map(({ serialNo, pem }) => [serialNo, pem] as const);
  return new Wechatpay({
    mchid: MCHID,
    serial: merchant.serialNo,
    privateKey: privateKey('wechat_merchant'),
    certs: Object.fromEntries([...certificates, [wechatpay.platformPublicKeyId, wechatpay.platformPublicKeyPem]]),
    baseURL: `${url}/`,
    ...(serial !== undefined && { headers: { 'Wechatpay-Serial': serial } }),
  });
}

export type Received = { path: string; headers: IncomingHttpHeaders; body: string; json: Json; at: number };

/** A shop that keeps every notice, and answers 204 or what it is told to. */
export async function shop() {
  const received: Received[] = [];
  const shop = {
    received,
    url: '',
    answer: (() => 204) as (notice: Received) => number | null,
    close: () => server.close(),
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      const notice = {
        path: request.url ?? '',
        headers: request.headers,
        body,
        json: JSON.parse(body.startsWith('{') ? body : '{}') as Json, // Some providers send forms.
        at: Date.now(),
      };
      received.push(notice);
      const status = shop.answer(notice);
      if (status !== null) response.writeHead(status, { location: '/elsewhere' }).end(); // null: never an answer.
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  shop.close = () => {
    server.closeAllConnections();
    return server.close();
  };
  return shop;
}

/** Whether the platform signed the notice, by the client's own code. */
export function isGenuine({ wechatpay }: Simulator, { headers, body }: Received): boolean {
  const serial = String(headers['wechatpay-serial']);
  const certificate = wechatpay.platformCertificates.find(({ serialNo }) => serialNo === serial)?.pem;
  const key = serial === wechatpay.platformPublicKeyId ? wechatpay.platformPublicKeyPem : certificate;
  if (key === undefined) throw new Error(`signed with an unknown key: ${serial}`);
  const text = Formatter.response(String(headers['wechatpay-timestamp']), String(headers['wechatpay-nonce']), body);
  return Rsa.verify(text, String(headers['wechatpay-signature']), key);
}

/** What a notice says, by the client's own code. */
export function decrypted({ json }: Received, key = API_V3_KEY): Json {
  const { ciphertext, nonce, associated_data: aad } = json['resource'] as Record<string, string>;
  return JSON.parse(Aes.AesGcm.decrypt(ciphertext ?? '', key, nonce ?? '', aad)) as Json;
}

/** Waits until something holds; fails with what was last wrong. */
export async function eventually<T>(probe: () => T | Promise<T>, withinMs = 30_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A folder of its own for one test. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'simulator-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
