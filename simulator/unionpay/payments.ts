import { randomBytes, randomInt } from 'node:crypto';
import type { BuyerWish } from '../provider.ts';
import type { Payment } from '../records.ts';
import { statusAt } from '../records.ts';
import type { PaymentWish } from './fields.ts';
import { checked, frontFields, qrFields } from './fields.ts';
import type { Message } from './message.ts';
import { paymentNotice } from './notices.ts';
import type { Call, PaymentDetails, Platform } from './platform.ts';
import { isTaken, paymentDetails, transactionId } from './platform.ts';
import { duplicate, wrongFormat } from './refusal.ts';
import { compactInstant, compactTime } from './time.ts';

/** Where no `payTimeout` says otherwise. */
const USUAL_LIFE_MS = 2 * 3600 * 1000;
const OUT_OF_FUNDS = { code: '64', message: '余额不足[6400000]' };

/** backTransReq.do 01/07: a code. The same transaction can't be asked for again (providers.md 3.8). */
export function applyForCode(platform: Platform, call: Call): Message {
  const wish = checked<PaymentWish>(qrFields(platform.mayNotifyLocalHttp), call.message);
  if (isTaken(platform, transactionId(call.merchant.merId, wish))) throw duplicate();
  const payment = newPayment(platform, call, wish);
  platform.desk.books.write({ payment });
  return { qrCode: linkTo(platform, payment) };
}

/** frontTransReq.do 01/01: the buyer's browser is here. Reloading the same page is not a second payment. */
export function arrive(platform: Platform, call: Call): Payment {
  const wish = checked<PaymentWish>(frontFields(platform.mayNotifyLocalHttp), call.message);
  const id = transactionId(call.merchant.merId, wish);
  const earlier = platform.desk.books.payment(id);
  if (earlier && paymentDetails(earlier).request === textOf(wish)) return earlier;
  if (isTaken(platform, id)) throw duplicate();
  const payment = newPayment(platform, call, wish);
  platform.desk.books.write({ payment });
  return payment;
}

/** Where a person opens the payment: also what the QR code says. */
export function linkTo({ desk }: Platform, payment: Payment): string {
  return `${desk.origin()}/unionpay/cashier/${payment.aliases[0]}`;
}

/** A try that fails is told to nobody; the buyer may take another card (providers.md 3.7). */
export function buyer(platform: Platform, payment: Payment, { action, amount }: BuyerWish): void {
  const { desk } = platform;
  const withFailure = (failure: PaymentDetails['failure']) => ({ ...paymentDetails(payment), failure });
  switch (action) {
    case 'pay': {
      const done = paid(payment, amount ?? payment.amount, desk.now());
      return desk.announce({ payment: done }, paymentNotice(done));
    }
    case 'start':
      return desk.books.write({ payment: { ...payment, status: 'paying', details: withFailure(null) } });
    case 'fail':
      return desk.books.write({ payment: { ...payment, status: 'pending', details: withFailure(OUT_OF_FUNDS) } });
    case 'cancel':
      return desk.books.write({ payment: { ...payment, status: 'pending' } });
  }
}

/** How the transaction stands, as a query tells it (providers.md 3.5). */
export function stateOf({ desk }: Platform, payment: Payment): { code: string; message: string } {
  const status = statusAt(payment, desk.now());
  if (status === 'paid') return { code: '00', message: '成功[0000000]' };
  const { failure } = paymentDetails(payment);
  if (failure && status !== 'paying') return failure;
  if (status === 'closed') return { code: '39', message: '交易不在受理时间范围内[3900000]' };
  return { code: '05', message: '交易已受理，请稍后查询交易结果[0500000]' };
}

/** The platform's own numbers: 21 digits. */
export function queryId(now: number): string {
  return `93${compactTime(now).slice(2)}${randomInt(1_000_000, 10_000_000)}`;
}

function paid(payment: Payment, amount: number, now: number): Payment {
  const tradeNo = queryId(now);
  const aliases = [...payment.aliases, tradeNo];
  return { ...payment, status: 'paid', tradeNo, aliases, paidAmount: amount, paidAt: now };
}

const textOf = (wish: PaymentWish): string => JSON.stringify(wish);

function newPayment({ desk }: Platform, { merchant: { merId } }: Call, wish: PaymentWish): Payment {
  const now = desk.now();
  const { orderId, txnTime, txnSubType, bizType, backUrl, frontUrl = null, reqReserved = null } = wish;
  const request = textOf(wish);
  const details: PaymentDetails = {
    txnTime,
    txnSubType,
    bizType,
    backUrl,
    frontUrl,
    reqReserved,
    request,
    failure: null,
  };
  return {
    id: transactionId(merId, wish),
    provider: 'unionpay',
    merchant: merId,
    outTradeNo: orderId,
    order: reqReserved, // The product hands its order's id through here.
    description: wish.orderDesc ?? '',
    amount: Number(wish.txnAmt),
    currency: 'CNY',
    status: 'pending',
    tradeNo: null,
    paidAmount: null,
    paidAt: null,
    createdAt: now,
    expiresAt: expiryOf(wish, now),
    aliases: [randomBytes(12).toString('hex')],
    details,
  };
}

function expiryOf({ txnTime, payTimeout }: PaymentWish, now: number): number {
  const at = payTimeout === undefined ? now + USUAL_LIFE_MS : (compactInstant(payTimeout) ?? 0);
  if (at <= (compactInstant(txnTime) ?? 0)) throw wrongFormat('payTimeout', '须晚于txnTime');
  return at;
}
