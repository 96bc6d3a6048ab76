/** Alipay's side of the wire for tests: the published vectors' keys, node:crypto's signatures, and the SDK as the judge. */
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AlipaySdk } from 'alipay-sdk';
import { expect } from 'vitest';
import type { AlipayAccount } from '../../providers/alipay.ts';
import type { Attempt, PaymentRef, RefundRequest } from '../../providers/provider.ts';
import type { Answer } from './wechatpay-peer.ts';
import { NOW } from './wechatpay-peer.ts';

const json = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));

type Pair = { private_pkcs8_pem: string; private_pkcs1_pem: string; public_spki_pem: string; cert_pem: string };
export const keys = json('keys') as Record<
  'alipay_app' | 'alipay_platform' | 'alipay_root_ca' | 'alipay_intermediate_ca' | 'wechat_merchant',
  Pair
>;

export type Vector = {
  name: string;
  kind: string;
  method: string;
  params: Record<string, string>;
  canonical: string;
  sign: string | null;
  signed_text: string;
  http_body: string;
};
export const { vectors, cert_sn: certSn } = json('alipay') as { vectors: Vector[]; cert_sn: Record<string, string> };
export const vector = (name: string): Vector => vectors.find((one) => one.name === name)!;

export const account: AlipayAccount = {
  appId: '2021000000000001',
  sellerId: '2088101568338364',
  privateKey: keys.alipay_app.private_pkcs8_pem,
  alipayPublicKey: keys.alipay_platform.public_spki_pem,
};
export const inCertificateMode: AlipayAccount = {
  ...account,
  alipayPublicKey: undefined,
  certificates: {
    app: keys.alipay_app.cert_pem,
    alipay: keys.alipay_platform.cert_pem,
    root: `${keys.alipay_root_ca.cert_pem}\n${keys.alipay_intermediate_ca.cert_pem}`,
  },
};

/** One line of base64, as Alipay's own tools write keys. */
export const bare = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '');

export const attempt: Attempt = {
  method: 'alipay.qr',
  outTradeNo: 'T20261121100000000002',
  orderId: 'ord_1',
  money: { amount: 8888, currency: 'CNY' },
  description: '测试 商品',
  startedAt: NOW * 1000,
  expiresAt: (NOW + 1800) * 1000 + 999,
  notifyUrl: 'https://shop.example.com/webhooks/alipay/acme',
  formUrl: 'https://shop.example.com/forms/alipay/demo',
  landingUrl: 'https://shop.example.com/landing',
  returnUrl: 'https://shop.example.com/pay?a=1&b=2',
  buyer: {},
};

const { method, orderId, outTradeNo, startedAt, expiresAt, money } = attempt;
export const payment: PaymentRef = { method, orderId, outTradeNo, reference: null, startedAt, expiresAt, money };

export const refundRequest: RefundRequest = {
  method,
  orderId,
  outTradeNo,
  reference: null,
  startedAt,
  tradeNo: '2026112122001475070500000001',
  outRefundNo: 'R20261121110000000001',
  askedAt: NOW * 1000,
  paid: { amount: 8888, currency: 'CNY' },
  refund: { amount: 800, currency: 'CNY' },
  reason: '用户退款',
  notifyUrl: 'https://shop.example.com/webhooks/alipay/acme',
};

export const trade = {
  code: '10000',
  msg: 'Success',
  out_trade_no: outTradeNo,
  trade_no: refundRequest.tradeNo,
  trade_status: 'TRADE_SUCCESS',
  total_amount: '88.88',
  send_pay_date: '2026-11-21 10:01:02',
};
export const PAID_AT = Date.parse('2026-11-21T10:01:02+08:00');

/** The SDK as a merchant has it: judges what Alipay signs. */
export const sdk = new AlipaySdk({
  appId: account.appId,
  privateKey: keys.alipay_app.private_pkcs8_pem,
  keyType: 'PKCS8',
  alipayPublicKey: keys.alipay_platform.public_spki_pem,
});
/** The SDK with both keys the other way round: judges what a merchant signs, as if it came in a notice. */
export const judge = new AlipaySdk({
  appId: account.appId,
  privateKey: keys.alipay_platform.private_pkcs8_pem,
  keyType: 'PKCS8',
  alipayPublicKey: keys.alipay_app.public_spki_pem,
});

const rsa2 = (text: string, key: Pair): string =>
  createSign('RSA-SHA256').update(text, 'utf8').sign(key.private_pkcs8_pem, 'base64');

type Signing = { key?: Pair; sn?: string; sign?: string };

/** An answer of the gateway, its node written as the real one writes slashes; the SDK agrees with its signature. */
export function answered(name: string, node: object, { key = keys.alipay_platform, sn, sign }: Signing = {}): Answer {
  const responseKey = `${name.replaceAll('.', '_')}_response`;
  const text = JSON.stringify(node).replaceAll('/', '\\/');
  const certificate = sn === undefined ? '' : `"alipay_cert_sn":"${sn}",`;
  const body = `{"${responseKey}":${text},${certificate}"sign":"${sign ?? rsa2(text, key)}"}`;
  if (key === keys.alipay_platform && sign === undefined && sn === undefined)
    sdk.checkResponseSign(body, responseKey, rsa2(text, key), '');
  return said(body);
}

export const said = (body: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/html;charset=utf-8' },
  body,
});

export const told: Record<string, string> = (({ sign: _sign, ...params }) => params)(
  vector('notify_trade_success').params as Record<string, string> & { sign: string },
);

/** A notice's form. The SDK says the same of it as `isGenuine`. */
export function form(changes: Record<string, string> = {}, key = keys.alipay_platform, isGenuine = true): Buffer {
  const params = { ...told, ...changes };
  const text = Object.keys(params)
    .filter((name) => name !== 'sign_type')
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .join('&');
  const signed = { ...params, sign: rsa2(text, key) };
  expect(sdk.checkNotifySignV2(signed)).toBe(isGenuine);
  return Buffer.from(new URLSearchParams(signed).toString());
}
