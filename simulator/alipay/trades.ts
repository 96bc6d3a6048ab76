import { randomBytes, randomInt } from 'node:crypto';
import type { Payment } from '../records.ts';
import { recordId, statusAt } from '../records.ts';
import type { Numbers, TradeWish } from './fields.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Call, PaymentDetails, Platform, Product } from './platform.ts';
import { paymentDetails } from './platform.ts';
import { refusedAs } from './refusal.ts';
import { beijingDay, instantOf } from './time.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LONGEST_LIFE_MS = 15 * DAY_MS;
/** A code that nobody scans is good for two hours (providers.md 1.5). */
const QR_LIFE_MS = 120 * MINUTE_MS;

/** The payment under this number: the earlier one where it is asked for in the same words (providers.md 1.6). */
export function requested(platform: Platform, call: Call, product: Product, wish: TradeWish): Payment {
  const earlier = ownPayment(platform, call.merchant, wish.out_trade_no);
  if (!earlier) return newPayment(platform, call, product, wish);
  const isSame =
    paymentDetails(earlier).product === product &&
    earlier.amount === wish.total_amount &&
    earlier.description === wish.subject;
  if (isSame) return earlier;
  throw refusedAs('CONTEXT_INCONSISTENT', '交易信息被篡改');
}

/** Nothing can be asked for again once it was paid or closed. */
export function requirePayable(payment: Payment, now: number): void {
  const status = statusAt(payment, now);
  if (status === 'paid') throw refusedAs('TRADE_HAS_SUCCESS', '交易已被支付');
  if (status === 'closed') throw refusedAs('TRADE_HAS_CLOSE', '交易已经关闭');
}

/** The merchant's payment by the merchant's number. */
export function ownPayment({ desk }: Platform, { appId }: KnownMerchant, outTradeNo: string): Payment | undefined {
  return desk.books.payment(recordId('alipay', appId, outTradeNo));
}

/** The merchant's trade; none where the buyer has not come yet. */
export function ownTrade(platform: Platform, merchant: KnownMerchant, numbers: Numbers): Payment | undefined {
  const { trade_no: tradeNo, out_trade_no: outTradeNo = '' } = numbers;
  const payment =
    tradeNo === undefined
      ? ownPayment(platform, merchant, outTradeNo)
      : platform.desk.books.paymentByAlias('alipay', tradeNo);
  return payment?.merchant === merchant.appId && payment.tradeNo !== null ? payment : undefined;
}

/** The buyer has come, so Alipay knows a trade from now on. */
export function withTrade(payment: Payment, now: number): Payment {
  if (payment.tradeNo !== null) return payment;
  const tradeNo = `${beijingDay(now)}22001${String(randomInt(1e14)).padStart(15, '0')}`;
  const details: PaymentDetails = { ...paymentDetails(payment), tradeAt: now };
  return { ...payment, tradeNo, aliases: [...payment.aliases, tradeNo], details };
}

/** The buyer paid: `amount`, or what was asked. */
export function paid(payment: Payment, now: number, amount = payment.amount): Payment {
  return { ...withTrade(payment, now), status: 'paid', paidAmount: amount, paidAt: now };
}

function newPayment({ desk }: Platform, call: Call, product: Product, wish: TradeWish): Payment {
  const now = desk.now();
  const { merchant, notifyUrl, returnUrl } = call;
  const { out_trade_no: outTradeNo, passback_params: passbackParams = null } = wish;
  const details: PaymentDetails = {
    product,
    sellerId: merchant.sellerId,
    notifyUrl,
    returnUrl,
    passbackParams,
    code: `bax${randomBytes(12).toString('hex')}`,
    buyerId: `2088${String(randomInt(1e12)).padStart(12, '0')}`,
    tradeAt: null,
  };
  return {
    id: recordId('alipay', merchant.appId, outTradeNo),
    provider: 'alipay',
    merchant: merchant.appId,
    outTradeNo,
    order: orderIn(passbackParams),
    description: wish.subject,
    amount: wish.total_amount,
    currency: 'CNY',
    status: 'pending',
    tradeNo: null,
    paidAmount: null,
    paidAt: null,
    createdAt: now,
    expiresAt: expiryOf(product, wish, now),
    aliases: [details.code],
    details,
  };
}

/** The product hands its order's id through here; it should be URL-encoded. */
function orderIn(passbackParams: string | null): string | null {
  try {
    return passbackParams === null ? null : decodeURIComponent(passbackParams);
  } catch {
    return passbackParams;
  }
}

/** An absolute time wins (providers.md 1.6). */
function expiryOf(product: Product, wish: TradeWish, now: number): number {
  const at = wish.time_expire === undefined ? timeoutOf(wish, now) : (instantOf(wish.time_expire) ?? 0);
  if (at <= now) throw refusedAs('NOW_TIME_AFTER_EXPIRE_TIME_ERROR', '当前时间已超过允许支付的时间');
  return Math.min(at, now + (product === 'qr' ? QR_LIFE_MS : LONGEST_LIFE_MS));
}

const UNITS: Record<string, number> = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: DAY_MS };

/** `90m`, `2h`, `15d`; `1c` is the end of the day in Beijing. */
function timeoutOf({ timeout_express: timeout = '15d' }: TradeWish, now: number): number {
  if (timeout === '1c') return Math.ceil((now + 8 * 60 * MINUTE_MS) / DAY_MS) * DAY_MS - 8 * 60 * MINUTE_MS;
  return now + Number.parseInt(timeout, 10) * (UNITS[timeout.slice(-1)] ?? 0);
}
