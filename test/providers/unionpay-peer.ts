/** UnionPay's side of the wire for tests: signed by node:crypto with the vectors' keys, on real sockets. */
import type { Edge } from '../../providers/http.ts';
import type { Attempt, PaymentRef, RefundRequest } from '../../providers/provider.ts';
import type { UnionPayAccount } from '../../providers/unionpay.ts';
import { keys, MER_ID, signed, textOf, vector, type Params } from '../simulator/unionpay-support.ts';

export { keys, vector, vectors, type Params } from '../simulator/unionpay-support.ts';

/** The vectors' moment: 2026-11-21T10:00:00+08:00, epoch milliseconds. */
export const NOW = 1_795_226_400_000;

export const account: UnionPayAccount = {
  merId: MER_ID,
  certificate: keys['unionpay_merchant']!['cert_pem']!,
  privateKey: keys['unionpay_merchant']!['private_pkcs8_pem']!,
  rootCertificate: keys['unionpay_root']!['cert_pem']!,
  middleCertificate: keys['unionpay_middle']!['cert_pem']!,
};

export const edge = (baseUrl: string, changes: Partial<Edge> = {}): Edge => ({
  baseUrl,
  fetch: globalThis.fetch,
  now: () => NOW + 1000,
  nonce: () => 'unused',
  timeoutMs: 5_000,
  ...changes,
});

export const attempt: Attempt = {
  method: 'unionpay.gateway',
  outTradeNo: 'T20261121100000000001',
  orderId: 'ord_1',
  money: { amount: 8888, currency: 'CNY' },
  description: '测试商品',
  startedAt: NOW,
  expiresAt: NOW + 900_000,
  notifyUrl: 'https://shop.example.com/notify/unionpay',
  formUrl: 'https://shop.example.com/forms/unionpay/demo',
  landingUrl: 'https://shop.example.com/r',
  returnUrl: 'https://shop.example.com/thanks',
  buyer: {},
};

export const payment: PaymentRef = {
  method: 'unionpay.gateway',
  orderId: 'ord_1',
  outTradeNo: attempt.outTradeNo,
  reference: null,
  startedAt: NOW,
  expiresAt: attempt.expiresAt,
  money: attempt.money,
};

export const refundRequest: RefundRequest = {
  method: 'unionpay.gateway',
  orderId: 'ord_1',
  outTradeNo: attempt.outTradeNo,
  reference: null,
  startedAt: NOW,
  tradeNo: '932611211000000000008',
  outRefundNo: 'R20261121110000000001',
  askedAt: NOW + 3_600_000,
  paid: { amount: 8888, currency: 'CNY' },
  refund: { amount: 800, currency: 'CNY' },
  reason: '用户退款',
  notifyUrl: 'https://shop.example.com/notify/unionpay-refund',
};

/** By UnionPay's certificate and key, unless said otherwise. */
export function platformSigned(params: Params, signing: { key?: string; certificate?: string } = {}): Params {
  const { key = 'unionpay_platform', certificate = keys[key]!['cert_pem']! } = signing;
  const signPubKeyCert = certificate.trim().replaceAll('\n', '\r\n');
  return signed({ ...params, signPubKeyCert }, keys[key]!['private_pkcs8_pem']);
}

/** An answer's bytes: not encoded. */
export const answerOf = (params: Params): string => `${textOf(params)}&signature=${params['signature']}`;
export const formOf = (params: Params): string => new URLSearchParams(params).toString();

/** What a vector says, unsigned. */
export function said(name: string, changes: Params = {}): Params {
  const { signature: _, signPubKeyCert: __, ...params } = vector(name).params;
  return { ...params, ...changes } as Params;
}

/** A refund's answer to a query. */
export const refundState = (origRespCode: string, changes: Params = {}): Params => ({
  ...said('resp_query_paid'),
  txnType: '04',
  txnSubType: '00',
  orderId: refundRequest.outRefundNo,
  txnTime: '20261121110000',
  txnAmt: '800',
  traceTime: '1121110001',
  origQryId: refundRequest.tradeNo,
  origRespCode,
  ...changes,
});
