/**
 * WeChat Pay's side of the wire for tests, made of an independent library's signing and encryption, the published
 * vectors' keys, and real sockets.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { Edge } from '../../providers/http.ts';
import type { Attempt, RefundRequest } from '../../providers/provider.ts';
import type { WechatPayAccount } from '../../providers/wechatpay.ts';

const json = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

type Pair = { private_pkcs8_pem: string; public_spki_pem: string; cert_pem: string };
export const keys = json('keys') as Record<
  'wechat_merchant' | 'wechat_platform_cert' | 'wechat_platform_pubkey' | 'alipay_platform',
  Pair
>;

export type Vector = { name: string; kind: string } & Record<string, string> & { headers: Record<string, string> };
export const vectors = (json('wechat') as { vectors: Vector[] }).vectors;
export const vector = (name: string): Vector => vectors.find((one) => one.name === name)!;

/** The vectors' moment: 2026-11-21T10:00:00+08:00, epoch seconds. */
export const NOW = 1_795_226_400;
export const NONCE = '593BEC0C930BF1AFEB40B4A08C8FB242';
export const CERT_SERIAL = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
export const PUB_KEY_ID = 'PUB_KEY_ID_0119000001092025010100001';

export const account: WechatPayAccount = {
  mchid: '1900000109',
  appid: 'wxd678efh567hg6787',
  serialNo: '444F4864EA9B34415A5B5C5D5E5F606162636465',
  privateKey: keys.wechat_merchant.private_pkcs8_pem,
  apiV3Key: '0123456789abcdefABCDEF0123456789',
  platformKeys: {
    [CERT_SERIAL]: keys.wechat_platform_cert.cert_pem,
    [PUB_KEY_ID]: keys.wechat_platform_pubkey.public_spki_pem,
  },
};

export const edge = (baseUrl: string, changes: Partial<Edge> = {}): Edge => ({
  baseUrl,
  fetch: globalThis.fetch,
  now: () => NOW * 1000,
  nonce: () => NONCE,
  timeoutMs: 5_000,
  ...changes,
});

export const attempt: Attempt = {
  method: 'wechatpay.native',
  outTradeNo: 'T20261121100000000001',
  orderId: 'ord_1',
  money: { amount: 8888, currency: 'CNY' },
  description: '测试商品',
  startedAt: NOW * 1000,
  expiresAt: (NOW + 1800) * 1000,
  notifyUrl: 'https://shop.example.com/notify/wechat',
  formUrl: 'https://shop.example.com/forms/wechatpay/demo',
  landingUrl: 'https://shop.example.com/landing',
  returnUrl: 'https://shop.example.com/pay/ord_1',
  buyer: {},
};

export const refundRequest: RefundRequest = {
  method: 'wechatpay.native',
  orderId: 'ord_1',
  reference: null,
  startedAt: NOW * 1000,
  askedAt: (NOW + 3600) * 1000,
  outTradeNo: 'T20261121100000000001',
  tradeNo: '4200000000202611210000000001',
  outRefundNo: 'R20261121110000000001',
  paid: { amount: 8888, currency: 'CNY' },
  refund: { amount: 800, currency: 'CNY' },
  reason: '用户退款',
  notifyUrl: 'https://shop.example.com/notify/wechat-refund',
};

export const transaction = {
  appid: account.appid,
  mchid: account.mchid,
  out_trade_no: attempt.outTradeNo,
  transaction_id: '4200000000202611210000000001',
  trade_type: 'NATIVE',
  trade_state: 'SUCCESS',
  trade_state_desc: '支付成功',
  bank_type: 'OTHERS',
  attach: 'ord_1',
  success_time: '2026-11-21T10:01:02+08:00',
  payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
  amount: { total: 8888, payer_total: 8000, currency: 'CNY', payer_currency: 'CNY' },
};

export const refundAnswer = {
  refund_id: '50300000002026112100000000001',
  out_refund_no: refundRequest.outRefundNo,
  transaction_id: refundRequest.tradeNo,
  out_trade_no: refundRequest.outTradeNo,
  channel: 'ORIGINAL',
  user_received_account: '支付用户零钱',
  success_time: '2026-11-21T11:00:05+08:00',
  create_time: '2026-11-21T11:00:00+08:00',
  status: 'PROCESSING',
  amount: { total: 8888, refund: 800, payer_total: 8888, payer_refund: 800, currency: 'CNY' },
};

type Signing = { key?: Pair; serial?: string; timestamp?: number | string; nonce?: string };

/** The four headers, signed by the independent library. */
export function signed(body: string, signing: Signing = {}): Record<string, string> {
  const { key = keys.wechat_platform_cert, serial = CERT_SERIAL, timestamp = NOW, nonce = NONCE } = signing;
  return {
    'Wechatpay-Timestamp': String(timestamp),
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Serial': serial,
    'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048',
    'Wechatpay-Signature': Rsa.sign(Formatter.response(String(timestamp), nonce, body), key.private_pkcs8_pem),
  };
}

type Sealing = { event?: string; aad?: string; apiV3Key?: string; change?: (envelope: NoticeBody) => unknown };
export type NoticeBody = { id: string; event_type: string; resource: Record<string, string> };

/** A notice's body, encrypted by the independent library. */
export function noticeBody(plain: unknown, sealing: Sealing = {}): string {
  const { event = 'TRANSACTION.SUCCESS', aad = 'transaction', apiV3Key = account.apiV3Key, change } = sealing;
  const nonce = 'fdasflkja484';
  const ciphertext = Aes.AesGcm.encrypt(JSON.stringify(plain), apiV3Key, nonce, aad);
  const envelope = {
    id: 'EV-1',
    create_time: '2026-11-21T10:01:02+08:00',
    resource_type: 'encrypt-resource',
    event_type: event,
    summary: '支付成功',
    resource: { original_type: 'x', algorithm: 'AEAD_AES_256_GCM', ciphertext, associated_data: aad, nonce },
  };
  return JSON.stringify(change ? change(envelope) : envelope);
}

export type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer };
export type Answer =
  { status: number; headers?: Record<string, string>; body?: string } | ((response: ServerResponse) => void);

/** 200 as WeChat Pay says it. */
export const ok = (body: unknown, signing: Signing = {}): Answer => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status: 200, headers: { 'content-type': 'application/json', ...signed(text, signing) }, body: text };
};

/** A refusal: never signed. */
export const refusal = (status: number, code: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ code, message: '说明', detail: { field: '/x', value: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } }),
});

export type Platform = { baseUrl: string; seen: Seen[]; answer: (answer: Answer) => void; stop: () => Promise<void> };

/** A server on a real socket that says what it was told to say. */
export async function startPlatform(): Promise<Platform> {
  const seen: Seen[] = [];
  let next: Answer = { status: 500 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks) });
      if (typeof next === 'function') next(response);
      else response.writeHead(next.status, next.headers).end(next.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (answer) => void (next = answer),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
