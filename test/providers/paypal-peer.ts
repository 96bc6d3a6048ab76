/** PayPal's side of the wire for tests: what it was told to say, on a real socket, and events signed by node:crypto. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Edge } from '../../providers/http.ts';
import type { PayPalAccount } from '../../providers/paypal.ts';
import type { Attempt, PaymentRef, RefundRequest } from '../../providers/provider.ts';
import { issuedCertificate, type Issuer } from '../../simulator/certificate.ts';
import { keys, vector } from '../simulator/paypal-support.ts';

export { keys, vector } from '../simulator/paypal-support.ts';

/** The vector's moment: 2026-11-21T02:01:03Z, epoch milliseconds. */
export const NOW = Date.parse('2026-11-21T02:01:03Z');

const privateKey = keys['paypal_webhook']!['private_pkcs8_pem']!;

const named = (CN: string) => ({ C: 'US', O: 'x', OU: 'x', CN });
const issuer = (CN: string, key: string) => ({ name: named(CN), privateKey: createPrivateKey(key) });
const ROOT = issuer('Root', keys['alipay_app']!['private_pkcs8_pem']!);
const MIDDLE = issuer('Middle', keys['alipay_platform']!['private_pkcs8_pem']!);

function issued(
  CN: string,
  privatePem: KeyObject | string,
  by: Issuer,
  until = NOW + 1e9,
  isAuthority = false,
): string {
  const terms = { serial: Buffer.from([1]), from: new Date(NOW - 1e9), until: new Date(until), name: named(CN) };
  return issuedCertificate({ ...terms, publicKey: createPublicKey(privatePem), isAuthority }, by);
}

/** Whom the account trusts, and one between it and PayPal's certificate. */
export const root = issued('Root', ROOT.privateKey, ROOT, undefined, true);
export const middle = (until?: number, isAuthority = true): string =>
  issued('Middle', MIDDLE.privateKey, ROOT, until, isAuthority);

/** A certificate for the vectors' key, under another name or for other times. */
export const certificate = (CN = 'messageverificationcerts.paypal.com', until?: number): string =>
  issued(CN, privateKey, ROOT, until);
/** That which `middle` vouches for. */
export const certificateBelow = (): string => issued('messageverificationcerts.paypal.com', privateKey, MIDDLE);

export const account: PayPalAccount = {
  clientId: 'client',
  clientSecret: 'secret',
  merchantId: 'ACMEPAYEEID23',
  webhookId: vector.webhook_id,
  trustedCertificates: root,
};

export const edge = (baseUrl: string, changes: Partial<Edge> = {}): Edge => ({
  baseUrl,
  fetch: globalThis.fetch,
  now: () => NOW,
  nonce: () => 'unused',
  timeoutMs: 5_000,
  ...changes,
});

export const attempt: Attempt = {
  method: 'paypal.checkout',
  outTradeNo: 'O1',
  orderId: 'ord_1',
  money: { amount: 1999, currency: 'USD' },
  description: 'Green tea',
  startedAt: NOW,
  expiresAt: NOW + 900_000,
  notifyUrl: 'https://shop.example.com/webhooks/paypal/acme',
  formUrl: 'https://shop.example.com/forms/paypal/acme',
  landingUrl: 'https://shop.example.com/landing',
  returnUrl: 'https://shop.example.com/pay/ord_1',
  buyer: {},
};
const { method, outTradeNo, orderId, money, startedAt, expiresAt } = attempt;
export const ORDER_ID = '5O190127TN364715T';
export const CAPTURE_ID = '2GG279541U471931P';
export const payment: PaymentRef = { method, orderId, outTradeNo, reference: ORDER_ID, startedAt, expiresAt, money };
export const refundRequest: RefundRequest = {
  method,
  orderId,
  outTradeNo,
  reference: ORDER_ID,
  startedAt,
  tradeNo: CAPTURE_ID,
  outRefundNo: 'O1r1',
  askedAt: NOW,
  paid: money,
  refund: { amount: 500, currency: 'USD' },
  reason: 'merchant',
  notifyUrl: attempt.notifyUrl,
};

export const captured = (changes: object = {}) => ({
  id: CAPTURE_ID,
  status: 'COMPLETED',
  amount: { currency_code: 'USD', value: '19.99' },
  custom_id: outTradeNo,
  payee: { merchant_id: account.merchantId },
  create_time: '2026-11-21T02:01:00Z',
  ...changes,
});
export const refunded = (changes: object = {}) => ({
  id: '1JU08902781691411',
  status: 'COMPLETED',
  amount: { currency_code: 'USD', value: '5.00' },
  custom_id: refundRequest.outRefundNo,
  update_time: '2026-11-21T02:02:00Z',
  ...changes,
});
export const order = (changes: object = {}, unit: object = {}) => ({
  id: ORDER_ID,
  status: 'PAYER_ACTION_REQUIRED',
  purchase_units: [
    { reference_id: 'ord_1', custom_id: outTradeNo, payee: { merchant_id: account.merchantId }, ...unit },
  ],
  links: [
    { href: `https://api-m.paypal.com/v2/checkout/orders/${ORDER_ID}`, rel: 'self', method: 'GET' },
    { href: `https://www.paypal.com/checkoutnow?token=${ORDER_ID}`, rel: 'payer-action', method: 'GET' },
  ],
  ...changes,
});
export const completed = (capture: object = {}, refunds: object[] = []) =>
  order({ status: 'COMPLETED' }, { payments: { captures: [captured(capture)], refunds } });

export const refusal = (name: string, issue?: string) => ({
  name,
  message: 'No.',
  debug_id: 'x',
  details: issue === undefined ? [] : [{ issue, description: 'No.' }],
});

type Signing = { certUrl: string; webhookId?: string; key?: string; signedBody?: string; algorithm?: string };

export function eventHeaders(body: string, signing: Signing): Headers {
  const { certUrl, webhookId = account.webhookId, key = privateKey, signedBody = body, algorithm } = signing;
  const [id, time] = ['69cd13f0-d67a-11e5-baa3-778b53f4ae55', '2026-11-21T02:01:03Z'];
  const text = `${id}|${time}|${webhookId}|${crc32(Buffer.from(signedBody))}`;
  return new Headers({
    'paypal-auth-algo': algorithm ?? 'SHA256withRSA',
    'paypal-cert-url': certUrl,
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('sha256', Buffer.from(text), key).toString('base64'),
  });
}

export const event = (type: string, resource: object): string =>
  JSON.stringify({ id: 'WH-1-2', event_version: '1.0', event_type: type, resource });
