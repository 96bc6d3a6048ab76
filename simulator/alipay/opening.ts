import type { Payment } from '../records.ts';
import { checked, PageFields, PayFields, PrecreateFields, WapFields } from './fields.ts';
import { paymentNotice } from './notices.ts';
import type { Call, Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import type { Refusal } from './refusal.ts';
import { refusedAs } from './refusal.ts';
import { paid, requested, requirePayable, withTrade } from './trades.ts';
import { payNode } from './views.ts';

/** Where a person opens the payment: also what the QR code says. */
export function linkTo({ desk }: Platform, payment: Payment): string {
  const { product, code } = paymentDetails(payment);
  return `${desk.origin()}/alipay/${product === 'qr' ? 'scan' : 'cashier'}/${code}`;
}

/** alipay.trade.page.pay and alipay.trade.wap.pay: a browser brings the request, and goes on to the cashier. */
export function openCashier(platform: Platform, call: Call, product: 'page' | 'wap'): Payment {
  const wish = product === 'page' ? checked(PageFields, call.content) : checked(WapFields, call.content);
  const payment = requested(platform, call, product, wish);
  platform.desk.books.write({ payment });
  return payment;
}

/** alipay.trade.precreate: a QR code. There is no trade before somebody scans it. */
export function precreate(platform: Platform, call: Call): object {
  const payment = requested(platform, call, 'qr', checked(PrecreateFields, call.content));
  requirePayable(payment, platform.desk.now());
  platform.desk.books.write({ payment });
  return { code: '10000', msg: 'Success', out_trade_no: payment.outTradeNo, qr_code: linkTo(platform, payment) };
}

/** alipay.trade.pay by the buyer's bar code: paid at once, waiting for the password, or refused (contract, section 6). */
export function payByBarcode(platform: Platform, call: Call): object {
  const { desk } = platform;
  const wish = checked(PayFields, call.content);
  const payment = withTrade(requested(platform, call, 'barcode', wish), desk.now());
  requirePayable(payment, desk.now());
  if (payment.status === 'paying') return waiting(payment); // The same request again.
  const last = wish.auth_code.at(-1) ?? '';
  if (!/\d/.test(last)) throw refusedAs('PAYMENT_AUTH_CODE_INVALID', '支付失败，获取顾客账户信息失败');
  if (last === '8') return waits(platform, payment);
  if (last === '9') throw fails(platform, payment);
  const done = paid(payment, desk.now());
  desk.announce({ payment: done }, paymentNotice(platform, done));
  return { code: '10000', msg: 'Success', ...payNode(done) };
}

function waits({ desk }: Platform, payment: Payment): object {
  const paying: Payment = { ...payment, status: 'paying' };
  desk.books.write({ payment: paying });
  return waiting(paying);
}

const waiting = (payment: Payment): object => ({
  code: '10003',
  msg: 'order success pay inprocess',
  ...payNode(payment),
});

function fails({ desk }: Platform, payment: Payment): Refusal {
  desk.books.write({ payment: { ...payment, status: 'closed' } });
  return refusedAs('BUYER_BALANCE_NOT_ENOUGH', '买家余额不足', { out_trade_no: payment.outTradeNo });
}
