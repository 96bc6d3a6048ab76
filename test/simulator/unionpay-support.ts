/** A merchant of the simulated UnionPay: signs, reads and verifies by node:crypto only, with the vectors' keys. */
import { createHash, sign, verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Simulator, SimulatorOptions, UnionpayMerchant } from '../../simulator/server.ts';
import { control, freshNumber, simulator, type Json } from './support.ts';

export type Params = Record<string, string>;
export type UnionpayVector = {
  name: string;
  kind: 'request' | 'response' | 'notify';
  params: Params;
  canonical: string;
  sha256_hex: string;
  key: 'unionpay_merchant' | 'unionpay_platform';
  signature: string;
  http_body: string;
};

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
export const keys = read('keys') as Record<string, Record<string, string>>;
/** Those of RSA: signMethod 11 is not spoken here. */
export const vectors = (read('unionpay') as { vectors: UnionpayVector[] }).vectors.filter(({ key }) => key);
export const vector = (name: string): UnionpayVector => vectors.find((each) => each.name === name)!;

export const MER_ID = '777290058110048';
export const CERT_ID = '68759663125';
export const privateKey = keys['unionpay_merchant']!['private_pkcs8_pem']!;

export const merchant: UnionpayMerchant = { merId: MER_ID, certificatePem: keys['unionpay_merchant']!['cert_pem']! };
/** Another merchant, with another certificate. */
export const stranger = {
  merId: '777290058110049',
  certId: keys['alipay_app']!['cert_serial_dec']!,
  privateKey: keys['alipay_app']!['private_pkcs8_pem']!,
};
const otherMerchant: UnionpayMerchant = { merId: stranger.merId, certificatePem: keys['alipay_app']!['cert_pem']! };

export const unionpaySimulator = (options: Partial<SimulatorOptions> = {}): Promise<Simulator> =>
  simulator({ merchants: [merchant, otherMerchant], ...options });

export function textOf(params: Params): string {
  return Object.entries(params)
    .filter(([name, value]) => name !== 'signature' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
}
const digest = (params: Params): Buffer => Buffer.from(createHash('sha256').update(textOf(params)).digest('hex'));

export const signed = (params: Params, key = privateKey): Params => ({
  ...params,
  signature: sign('sha256', digest(params), key).toString('base64'),
});

/** Whether the platform signed it, and the chain that it hands out vouches for the signer. */
export function isGenuine({ unionpay }: Pick<Simulator, 'unionpay'>, params: Params): boolean {
  const certificate = new X509Certificate(params['signPubKeyCert'] ?? '');
  const middle = new X509Certificate(unionpay.middleCertificatePem);
  const root = new X509Certificate(unionpay.rootCertificatePem);
  const isVouchedFor =
    certificate.checkIssued(middle) && certificate.verify(middle.publicKey) && middle.verify(root.publicKey);
  const signature = Buffer.from(params['signature'] ?? '', 'base64');
  return isVouchedFor && verify('sha256', digest(params), certificate.publicKey, signature);
}

/** An answer's fields: the values are not encoded, so only the first `=` separates. */
export function fieldsOf(body: string): Params {
  const pairs = body.split('&').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
  return Object.fromEntries(pairs) as Params;
}

/** China's time, `yyyyMMddHHmmss`. */
export const timeAt = (at: number): string =>
  new Date(at + 8 * 3600_000).toISOString().replace(/[-:T]/g, '').slice(0, 14);

const common = () => ({
  version: '5.1.0',
  encoding: 'UTF-8',
  signMethod: '01',
  accessType: '0',
  merId: MER_ID,
  certId: CERT_ID,
  txnTime: timeAt(Date.now()),
});
const payment = (orderId: string) => ({
  ...common(),
  orderId,
  txnType: '01',
  txnAmt: '8888',
  currencyCode: '156',
  payTimeout: timeAt(Date.now() + 900_000),
  reqReserved: 'ord_1',
  orderDesc: '绿茶 2 盒',
  backUrl: 'http://127.0.0.1:9/nobody',
});

export const frontParams = (changes: Params = {}): Params => ({
  ...payment(freshNumber('UT')),
  txnSubType: '01',
  bizType: '000201',
  channelType: '07',
  frontUrl: 'https://shop.example.com/back',
  ...changes,
});
export const qrParams = (changes: Params = {}): Params => ({
  ...payment(freshNumber('UT')),
  txnSubType: '07',
  bizType: '000000',
  channelType: '08',
  ...changes,
});
export const queryParams = ({ orderId, txnTime, bizType }: Params, changes: Params = {}): Params => ({
  ...common(),
  txnType: '00',
  txnSubType: '00',
  bizType: bizType!,
  orderId: orderId!,
  txnTime: txnTime!,
  ...changes,
});
export const refundParams = (paid: Params, origQryId: string, txnAmt: string, changes: Params = {}): Params => ({
  ...common(),
  txnType: '04',
  txnSubType: '00',
  bizType: paid['bizType']!,
  channelType: '07',
  orderId: freshNumber('UR'),
  origQryId,
  txnAmt,
  backUrl: paid['backUrl']!,
  ...changes,
});

type At = Pick<Simulator, 'url' | 'unionpay'>;
export type Op = 'frontTransReq' | 'backTransReq' | 'queryTrans';

export function post({ url }: At, op: Op, body: string, headers: Params = {}): Promise<Response> {
  return fetch(`${url}/gateway/api/${op}.do`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', ...headers },
    body,
  });
}

/** A signed call; its answer must be genuine. */
export async function ask(at: At, op: Op, params: Params, key?: string): Promise<Params> {
  const answer = await post(at, op, new URLSearchParams(signed(params, key)).toString());
  const fields = fieldsOf(await answer.text());
  if (answer.status !== 200 || !isGenuine(at, fields)) throw new Error(`not a genuine answer: ${answer.status}`);
  return fields;
}

export async function openedQr(at: At, changes: Params = {}): Promise<Params & { qrCode: string }> {
  const params = qrParams(changes);
  const { respCode, qrCode = '' } = await ask(at, 'backTransReq', params);
  if (respCode !== '00') throw new Error(`not opened: ${respCode}`);
  return { ...params, qrCode };
}

export const stateOf = (at: At, params: Params): Promise<Params> => ask(at, 'queryTrans', queryParams(params));

/** A code that was paid, with its queryId. */
export async function paidQr(at: At, changes: Params = {}): Promise<Params & { queryId: string }> {
  const params = await openedQr(at, changes);
  await control(at, 'POST', `/payments/${params['orderId']}`, { action: 'pay' });
  const { queryId = '' } = await stateOf(at, params);
  return { ...params, queryId };
}

export type { Json };
