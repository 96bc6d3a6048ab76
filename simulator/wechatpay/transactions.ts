import { randomBytes, randomInt } from 'node:crypto';
import type { Payment } from '../records.ts';
import { recordId, statusAt } from '../records.ts';
import type { TransactionFields } from './fields.ts';
import { checked, CloseFields, h5Fields, jsapiFields, transactionFields } from './fields.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Answer, Call, PaymentDetails, Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import { orderNotExist, orderPaid, Refusal, wrongField } from './refusal.ts';
import { beijingDay } from './time.ts';
import { transactionObject } from './views.ts';

/** The platform moves a `time_expire` that is out of these bounds (providers.md 2.5). */
const SHORTEST_LIFE_MS = 60_000;
const LONGEST_LIFE_MS = 7 * 24 * 3600 * 1000;

/** Repeated requests get fresh codes until there are so many; then the last one again. */
const MOST_CODES = 50;

/** The ways to pay: a few fields more, and another answer. */
const KINDS = {
  native: {
    tradeType: 'NATIVE',
    fields: transactionFields,
    answer: (platform: Platform, code: string) => ({ code_url: linkTo(platform, code) }),
  },
  jsapi: {
    tradeType: 'JSAPI',
    fields: jsapiFields,
    answer: (_platform: Platform, code: string) => ({ prepay_id: `wx${code}` }),
  },
  h5: {
    tradeType: 'MWEB',
    fields: h5Fields,
    answer: (platform: Platform, code: string) => ({ h5_url: linkTo(platform, code) }),
  },
} as const;

export type Kind = keyof typeof KINDS;

/** POST /v3/pay/transactions/{kind} */
export function createTransaction(platform: Platform, kind: Kind, { merchant, signer, body }: Call): Answer {
  const { tradeType, fields, answer } = KINDS[kind];
  const wanted: TransactionFields & { payer?: { openid: string } } = checked<TransactionFields>(
    fields(platform.mayNotifyLocalHttp),
    body,
  );
  requireOwn(merchant, wanted);
  const request = JSON.stringify({ tradeType, ...wanted });
  const earlier = platform.desk.books.payment(recordId('wechatpay', merchant.mchid, wanted.out_trade_no));
  if (earlier) requireSame(earlier, request, platform.desk.now());
  const details = { tradeType, request, signer: signer.serial };
  const payment = withFreshCode(earlier ?? newPayment(platform, wanted, details));
  platform.desk.books.write({ payment });
  return { status: 200, body: answer(platform, codeOf(payment)) };
}

/** GET /v3/pay/transactions/out-trade-no/{out_trade_no} and /id/{transaction_id} */
export function queryTransaction(platform: Platform, { merchant, path, query }: Call): Answer {
  const mchid = query.get('mchid');
  if (mchid !== merchant.mchid) throw wrongField('query', 'mchid', mchid, '商户号缺失或与Authorization不一致');
  const { out_trade_no: number, transaction_id: tradeNo = '' } = path;
  const payment = number === undefined ? paidAs(platform, merchant, tradeNo) : ownPayment(platform, merchant, number);
  if (!payment) throw orderNotExist();
  return { status: 200, body: transactionObject(platform.desk, payment) };
}

/** POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close: repeatable, but not once it is paid. */
export function closeTransaction(platform: Platform, { merchant, path, body }: Call): Answer {
  const { mchid } = checked(CloseFields, body);
  if (mchid !== merchant.mchid) throw wrongField('body', 'mchid', mchid, '与Authorization中的商户号不一致');
  const payment = ownPayment(platform, merchant, path['out_trade_no'] ?? '');
  if (!payment) throw orderNotExist();
  if (payment.status === 'paid') throw orderPaid();
  if (payment.status !== 'closed') platform.desk.books.write({ payment: { ...payment, status: 'closed' } });
  return { status: 204, body: null };
}

/** The merchant's payment by the merchant's number. */
export function ownPayment({ desk }: Platform, { mchid }: KnownMerchant, outTradeNo: string): Payment | undefined {
  return desk.books.payment(recordId('wechatpay', mchid, outTradeNo));
}

/** The merchant's payment by the platform's number. */
export function paidAs({ desk }: Platform, { mchid }: KnownMerchant, tradeNo: string): Payment | undefined {
  const payment = desk.books.paymentByAlias('wechatpay', tradeNo);
  return payment?.tradeNo === tradeNo && payment.merchant === mchid ? payment : undefined;
}

/** Where a person opens the payment: also what the QR code says. */
export function linkTo({ desk }: Platform, code: string): string {
  return `${desk.origin()}/wechatpay/pay?pr=${code}`;
}

/** The newest code. */
export function codeOf(payment: Payment): string {
  return payment.aliases.findLast((alias) => alias !== payment.tradeNo) ?? '';
}

/** The buyer paid: `amount`, or what was asked. */
export function paid(payment: Payment, amount: number, now: number): Payment {
  const tradeNo = `4200${randomInt(100_000, 1_000_000)}${beijingDay(now)}${randomInt(1_000_000_000, 10_000_000_000)}`;
  const aliases = [...payment.aliases, tradeNo];
  return { ...payment, status: 'paid', tradeNo, aliases, paidAmount: amount, paidAt: now };
}

function requireOwn({ mchid, appids }: KnownMerchant, wanted: TransactionFields): void {
  if (wanted.mchid !== mchid) throw wrongField('body', 'mchid', wanted.mchid, '与Authorization中的商户号不一致');
  if (!appids.includes(wanted.appid)) throw new Refusal(400, 'APPID_MCHID_NOT_MATCH', 'appid和mch_id不匹配');
}

function requireSame(earlier: Payment, request: string, now: number): void {
  const status = statusAt(earlier, now);
  if (status === 'paid') throw orderPaid();
  if (status === 'closed') throw new Refusal(400, 'ORDER_CLOSED', '该订单已关闭');
  if (paymentDetails(earlier).request !== request) throw new Refusal(403, 'OUT_TRADE_NO_USED', '商户订单号重复');
}

type RequestDetails = Pick<PaymentDetails, 'tradeType' | 'request' | 'signer'>;

function newPayment(
  { desk }: Platform,
  wanted: TransactionFields & { payer?: { openid: string } },
  about: RequestDetails,
): Payment {
  const now = desk.now();
  const openid = wanted.payer?.openid ?? `o${randomBytes(20).toString('base64url').slice(0, 27)}`;
  const { appid, mchid: merchant, out_trade_no: outTradeNo, attach = null, notify_url: notifyUrl } = wanted;
  const details: PaymentDetails = { ...about, appid, notifyUrl, attach, openid };
  return {
    id: recordId('wechatpay', merchant, outTradeNo),
    provider: 'wechatpay',
    merchant,
    outTradeNo,
    order: attach, // The product hands its order's id through here.
    description: wanted.description,
    amount: wanted.amount.total,
    currency: wanted.amount.currency,
    status: 'pending',
    tradeNo: null,
    paidAmount: null,
    paidAt: null,
    createdAt: now,
    expiresAt: expiryOf(wanted, now),
    aliases: [],
    details,
  };
}

function expiryOf({ time_expire: wanted }: TransactionFields, now: number): number {
  const at = wanted === undefined ? Infinity : Date.parse(wanted);
  return Math.min(Math.max(at, now + SHORTEST_LIFE_MS), now + LONGEST_LIFE_MS);
}

function withFreshCode(payment: Payment): Payment {
  if (payment.aliases.length >= MOST_CODES) return payment;
  return { ...payment, aliases: [...payment.aliases, randomBytes(9).toString('base64url')] };
}
