import { randomInt } from 'node:crypto';
import type { NoticeDraft } from '../provider.ts';
import type { Notice, Payment, Refund } from '../records.ts';
import type { Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import type { Params } from './signature.ts';
import { noticeText, rsaSign } from './signature.ts';
import { beijingDay, beijingTime } from './time.ts';
import { BUYER_LOGON_ID, refundedFen, tradeStatus, yuan } from './views.ts';

const MINUTE = 60;
/** providers.md 1.8. */
export const NOTICE_PAUSES_SECONDS = [4, 10, 10, 60, 120, 360, 900].map((minutes) => minutes * MINUTE);
export const NOTICE_TIMEOUT_MS = 5_000;

/** Told once it is paid. `payment` is the paid one. */
export function paymentNotice(platform: Platform, payment: Payment): NoticeDraft | null {
  return draft(platform, payment, { ...common(platform, payment), trade_status: 'TRADE_SUCCESS' });
}

/** Told once some of it went back, in the trade's own words; `refund` is the settled one. */
export function refundNotice(platform: Platform, payment: Payment, refund: Refund): NoticeDraft | null {
  const { desk } = platform;
  const refunds = [...desk.books.refundsOf(payment).filter(({ id }) => id !== refund.id), refund];
  const sum = refundedFen(refunds);
  return draft(platform, payment, {
    ...common(platform, payment),
    gmt_refund: `${beijingTime(refund.settledAt ?? desk.now())}.${String((refund.settledAt ?? 0) % 1000).padStart(3, '0')}`,
    out_biz_no: refund.outRefundNo,
    refund_fee: yuan(sum),
    trade_status: sum >= (payment.paidAmount ?? 0) ? 'TRADE_CLOSED' : tradeStatus(desk, payment),
  });
}

/** The form of a delivery: signed anew, at its own time. */
export function noticeForm({ desk, keys }: Platform, notice: Notice): string {
  const fields = { ...(JSON.parse(notice.body) as Params), notify_time: beijingTime(desk.now()) };
  const sign = rsaSign(noticeText(fields), keys.privateKey, desk.faults.of('alipay').corrupt_signature);
  return new URLSearchParams({ ...fields, sign }).toString();
}

function draft(platform: Platform, payment: Payment, fields: Params): NoticeDraft | null {
  const { notifyUrl } = paymentDetails(payment);
  if (notifyUrl === null) return null;
  const id = noticeId(platform.desk.now());
  return {
    id,
    provider: 'alipay',
    merchant: payment.merchant,
    payment: payment.id,
    event: fields['trade_status'] ?? '',
    url: notifyUrl,
    body: JSON.stringify({ ...fields, notify_id: id }),
    details: null,
  };
}

/** providers.md 1.8. */
function common(platform: Platform, payment: Payment): Params {
  const { sellerId, passbackParams, buyerId, tradeAt } = paymentDetails(payment);
  const paid = yuan(payment.paidAmount ?? 0);
  return {
    notify_type: 'trade_status_sync',
    charset: 'utf-8',
    version: '1.0',
    sign_type: 'RSA2',
    app_id: payment.merchant,
    auth_app_id: payment.merchant,
    seller_id: sellerId,
    out_trade_no: payment.outTradeNo,
    trade_no: payment.tradeNo ?? '',
    buyer_id: buyerId,
    buyer_logon_id: BUYER_LOGON_ID,
    subject: payment.description,
    total_amount: yuan(payment.paidAmount ?? payment.amount),
    receipt_amount: paid,
    invoice_amount: paid,
    buyer_pay_amount: paid,
    point_amount: '0.00',
    fund_bill_list: JSON.stringify([{ amount: paid, fundChannel: 'ALIPAYACCOUNT' }]),
    gmt_create: beijingTime(tradeAt ?? payment.createdAt),
    gmt_payment: beijingTime(payment.paidAt ?? platform.desk.now()),
    ...(passbackParams !== null && { passback_params: passbackParams }),
  };
}

function noticeId(now: number): string {
  return `${beijingDay(now)}00222${String(randomInt(1e14)).padStart(15, '0')}${randomInt(100_000, 1_000_000)}`;
}
