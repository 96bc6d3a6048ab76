/**
 * WeChat Pay, API v3, as a direct merchant (providers.md section 2).
 *
 *     wechatPay(account, realEdge('https://api.mch.weixin.qq.com'))
 */
import type { Money } from '../domain/money.ts';
import { acknowledgedBy, fenWithin, ofMethod } from './adapting.ts';
import type { Edge } from './http.ts';
import {
  isRefusal,
  ProviderError,
  type Acknowledgement,
  type Attempt,
  type Opened,
  type PaymentProvider,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { beijingTime, withinBytes } from './text.ts';
import { OPENINGS } from './wechatpay-openings.ts';
import { isOurApp, noticeIn, paymentAnswered, refundAnswered } from './wechatpay-reports.ts';
import { wechatPayStatement } from './wechatpay-statement.ts';
import { wechatPayWire, type WechatPayAccount, type WechatPayWire } from './wechatpay-wire.ts';

export type { WechatPayAccount } from './wechatpay-wire.ts';

type Desk = { account: WechatPayAccount; wire: WechatPayWire; now: () => number };

/**
 * A notice of a kind that isn't about orders, though genuine, makes `readNotice` throw ProviderError refused with the
 * code `unhandled_notice`: whoever keeps it may answer "accepted".
 * @throws Error if the account's keys can't be what they should be; names the field
 */
export function wechatPay(account: WechatPayAccount, edge: Edge): PaymentProvider {
  const desk: Desk = { account, wire: wechatPayWire(account, edge), now: edge.now };
  return {
    name: 'wechatpay',
    open: (attempt) => open(desk, attempt),
    query: (payment) => query(desk, payment),
    close: (payment) => close(desk, payment),
    refund: (request) => refund(desk, request),
    queryRefund: (request) => queryRefund(desk, request),
    statement: (day) => wechatPayStatement(desk.wire, day),
    readNotice: ({ headers, body }) => noticeIn(desk.wire, headers, body, edge.now()),
    acknowledge,
    isOurs: ({ merchantNo, appId }) => merchantNo === account.mchid && (appId === null || isOurApp(account, appId)),
  };
}

/** The number has a history: paid, closed, or opened otherwise. Only a query tells which (rule 7). */
const NUMBER_TAKEN = ['OUT_TRADE_NO_USED', 'ORDERPAID', 'ORDER_CLOSED'];

async function open({ account, wire, now }: Desk, attempt: Attempt): Promise<Opened> {
  const { path, appid, about, action } = ofMethod(OPENINGS, attempt.method);
  const body = {
    appid: appid(account),
    mchid: account.mchid,
    // Documented as 127 characters, but WeChat Pay's own refusals count bytes.
    description: withinBytes(attempt.description, 127),
    out_trade_no: attempt.outTradeNo,
    time_expire: beijingTime(attempt.expiresAt),
    attach: attempt.orderId,
    notify_url: attempt.notifyUrl,
    amount: { total: fen(attempt.money), currency: 'CNY' },
    ...about(attempt.buyer),
  };
  try {
    const answer = await wire.post('open', `/v3/pay/transactions/${path}`, body);
    return { action: action({ answer, appid: body.appid, attempt, wire, now: now() }), reference: null };
  } catch (error) {
    if (!isRefusal(error, NUMBER_TAKEN)) throw error;
    throw new ProviderError('unknown', error.code, error.message, { cause: error });
  }
}

/** Amounts are fen: the minor unit already. */
const fen = (money: Money): number => fenWithin(money, Number.MAX_SAFE_INTEGER);

const transactionPath = (outTradeNo: string): string =>
  `/v3/pay/transactions/out-trade-no/${encodeURIComponent(outTradeNo)}`;

async function query({ account, wire, now }: Desk, { outTradeNo, money }: PaymentRef): Promise<PaymentReport> {
  fen(money);
  const path = `${transactionPath(outTradeNo)}?mchid=${encodeURIComponent(account.mchid)}`;
  try {
    return paymentAnswered(account, outTradeNo, await wire.get('query', path), now());
  } catch (error) {
    if (isRefusal(error, ['ORDER_NOT_EXIST', 'ORDERNOTEXIST'])) return { state: 'unknown' };
    throw error;
  }
}

/** These say who we are or how we ask, and nothing about the payment. */
const NOT_ABOUT_THE_PAYMENT = ['SIGN_ERROR', 'NO_AUTH', 'MCH_NOT_EXISTS', 'APPID_MCHID_NOT_MATCH'];

/**
 * Resolves when WeChat Pay took the wish, and also when it refused it because of the payment itself: paid, closed or
 * never opened. The codes for that differ between editions of the documentation (2.9), so the caller must query next,
 * whatever came of it; so it must for the 204, whose signature covers no number.
 */
async function close({ account, wire }: Desk, { outTradeNo, money }: PaymentRef): Promise<null> {
  fen(money);
  try {
    await wire.post('close', `${transactionPath(outTradeNo)}/close`, { mchid: account.mchid });
  } catch (error) {
    if (!isRefusal(error) || NOT_ABOUT_THE_PAYMENT.includes(error.code)) throw error;
  }
  return null;
}

async function refund({ wire, now }: Desk, request: RefundRequest): Promise<RefundReport> {
  const reason = withinBytes(request.reason, 80);
  const answer = await wire.post('refund', '/v3/refund/domestic/refunds', {
    ...(request.tradeNo ? { transaction_id: request.tradeNo } : { out_trade_no: request.outTradeNo }),
    out_refund_no: request.outRefundNo,
    ...(reason && { reason }),
    notify_url: request.notifyUrl,
    amount: { refund: fen(request.refund), total: fen(request.paid), currency: 'CNY' },
  });
  return refundAnswered(request, answer, now());
}

async function queryRefund({ wire, now }: Desk, request: RefundRequest): Promise<RefundReport> {
  fen(request.refund);
  const path = `/v3/refund/domestic/refunds/${encodeURIComponent(request.outRefundNo)}`;
  try {
    return refundAnswered(request, await wire.get('queryRefund', path), now());
  } catch (error) {
    if (isRefusal(error, ['RESOURCE_NOT_EXISTS'])) return { state: 'unknown' };
    throw error;
  }
}

/** Words of 2.10. On success WeChat Pay reads nothing but the status. */
function acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement {
  if (outcome === 'accepted') return { status: 204, headers: {}, body: '' };
  return {
    status: acknowledgedBy[outcome],
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      code: 'FAIL',
      message: outcome === 'failed' ? 'try again later' : 'signature not accepted',
    }),
  };
}
