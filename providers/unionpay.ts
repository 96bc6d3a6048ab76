/**
 * UnionPay ACP 5.1.0, the gateway for browsers and codes to scan (providers.md section 3).
 *
 *     unionPay(account, realEdge('https://gateway.95516.com'))
 *
 * A transaction is its number together with its time, so `startedAt` and `askedAt` are part of what is asked about.
 * There is no close: an attempt ends by its `payTimeout` only.
 */
import type { PaymentMethod } from '../domain/method.ts';
import type { Money } from '../domain/money.ts';
import type { PaymentAction } from '../domain/order.ts';
import { acknowledgedBy, fenWithin, ofMethod } from './adapting.ts';
import type { Edge } from './http.ts';
import {
  ProviderError,
  type Acknowledgement,
  type Attempt,
  type BuyerForm,
  type Opened,
  type PaymentProvider,
  type PaymentRef,
  type PaymentReport,
  type RefundReport,
  type RefundRequest,
} from './provider.ts';
import { compactBeijingTime, withinBytes } from './text.ts';
import { formText, type Message } from './unionpay-message.ts';
import { NOT_FOUND, noticeIn, paymentAnswered, reasonOf, refundAnswered } from './unionpay-reports.ts';
import { unionPayStatement } from './unionpay-statement.ts';
import { unionPayWire, type UnionPayAccount, type UnionPayWire } from './unionpay-wire.ts';

export type { UnionPayAccount } from './unionpay-wire.ts';

type Desk = { wire: UnionPayWire; now: () => number };

/** @throws Error if the account's keys can't be what they should be; names the field */
export function unionPay(account: UnionPayAccount, edge: Edge): PaymentProvider {
  const desk: Desk = { wire: unionPayWire(account, edge), now: edge.now };
  return {
    name: 'unionpay',
    open: (attempt) => open(desk, attempt),
    query: (payment) => query(desk, payment),
    close: () => Promise.resolve(null),
    refund: (request) => refund(desk, request),
    queryRefund: (request) => queryRefund(desk, request),
    statement: (day) => unionPayStatement(desk.wire, day, edge.now()),
    readNotice: async ({ body }) => noticeIn(desk.wire, body),
    acknowledge,
    isOurs: ({ merchantNo }) => merchantNo === account.merId,
    formOf: (query) => buyerForm(desk.wire, query),
  };
}

type Way = { txnSubType: string; bizType: string; channelType: string };
const WAYS: Record<Extract<PaymentMethod, `unionpay.${string}`>, Way> = {
  'unionpay.gateway': { txnSubType: '01', bizType: '000201', channelType: '07' },
  'unionpay.wap': { txnSubType: '01', bizType: '000201', channelType: '08' },
  'unionpay.qr': { txnSubType: '07', bizType: '000000', channelType: '08' },
};

async function open({ wire }: Desk, attempt: Attempt): Promise<Opened> {
  const { txnSubType, bizType, channelType } = ofMethod(WAYS, attempt.method);
  const isCode = attempt.method === 'unionpay.qr';
  const fields = {
    txnType: '01',
    txnSubType,
    bizType,
    channelType,
    orderId: attempt.outTradeNo,
    txnTime: compactBeijingTime(attempt.startedAt),
    txnAmt: fen(attempt.money),
    currencyCode: '156',
    ...(!isCode && { frontUrl: attempt.landingUrl }),
    backUrl: attempt.notifyUrl,
    payTimeout: compactBeijingTime(attempt.expiresAt),
    orderDesc: withinBytes(plain(attempt.description), 32),
    reqReserved: plain(attempt.orderId),
  };
  // Only the buyer's browser may bring a form to the gateway, and only by POST: a page of ours sends it there.
  const action: PaymentAction = isCode
    ? { type: 'qr', content: await codeFor(wire, fields) }
    : { type: 'redirect', url: `${attempt.formUrl}?${formText(wire.signed(fields))}` };
  return { action, reference: null };
}

/** The form behind that page's query; null for one that we didn't sign. */
function buyerForm(wire: UnionPayWire, query: URLSearchParams): BuyerForm | null {
  const fields = Object.fromEntries(query);
  const isOurs = Object.keys(fields).length === query.size && fields['txnType'] === '01' && wire.isOurs(fields);
  return isOurs ? { action: wire.url('frontTransReq').href, fields } : null;
}

async function codeFor(wire: UnionPayWire, fields: Message & { orderId: string }): Promise<string> {
  const { respCode, respMsg, qrCode, orderId } = await wire.ask('open', 'backTransReq', fields);
  // The first answer was lost, and the code with it: nobody was shown it, so nobody can pay it.
  if (respCode === '12')
    throw new ProviderError('refused', '12', 'unionpay open: the code was made before and is lost');
  if (respCode !== '00') throw refusal('open', respCode, respMsg);
  if (qrCode && orderId === fields.orderId) return qrCode;
  throw new ProviderError('unknown', 'malformed_answer', 'unionpay open: no code for this payment');
}

async function query({ wire, now }: Desk, payment: PaymentRef): Promise<PaymentReport> {
  fen(payment.money);
  const answer = await queryTransaction(wire, 'query', payment.method, payment.outTradeNo, payment.startedAt);
  return paymentAnswered(payment, answer, now());
}

async function queryTransaction(
  wire: UnionPayWire,
  what: string,
  method: string,
  number: string,
  at: number,
): Promise<Message> {
  const { bizType } = ofMethod(WAYS, method);
  const fields = { txnType: '00', txnSubType: '00', bizType, orderId: number, txnTime: compactBeijingTime(at) };
  const answer = await wire.ask(what, 'queryTrans', fields);
  const { respCode, respMsg } = answer;
  if (respCode !== '00' && respCode !== NOT_FOUND) throw refusal(what, respCode, respMsg);
  return answer;
}

/** 00 says that it was accepted, no more. The same number and time can't be two refunds: UnionPay answers 12. */
async function refund({ wire }: Desk, request: RefundRequest): Promise<RefundReport> {
  const { bizType, channelType } = ofMethod(WAYS, request.method);
  fen(request.paid);
  const { respCode, respMsg } = await wire.ask('refund', 'backTransReq', {
    txnType: '04',
    txnSubType: '00',
    bizType,
    channelType,
    orderId: request.outRefundNo,
    txnTime: compactBeijingTime(request.askedAt),
    txnAmt: fen(request.refund),
    origQryId: request.tradeNo,
    backUrl: request.notifyUrl,
  });
  if (respCode === '00' || respCode === '05') return { state: 'processing' };
  throw refusal('refund', respCode, respMsg);
}

async function queryRefund({ wire }: Desk, request: RefundRequest): Promise<RefundReport> {
  fen(request.refund);
  const answer = await queryTransaction(wire, 'queryRefund', request.method, request.outRefundNo, request.askedAt);
  return refundAnswered(request, answer);
}

/** Amounts are fen, the minor unit already, in 12 digits at most. */
const fen = (money: Money): string => String(fenWithin(money, 999_999_999_999));

/** What separates fields may not stand in free text (providers.md 3.4). */
const plain = (text: string): string => text.replace(/[&={}[\]]+/g, ' ');

/** Section 3.6: closed or busy for now; failed for a reason that stays. Of anything else nobody knows. */
const BUSY = ['02', '06', '37'];
const FINAL = /^(01|1[013]|3[0-689]|4[25]|[67]\d)$/;

function refusal(what: string, code = '', words = ''): ProviderError {
  const outcome = BUSY.includes(code) ? 'busy' : FINAL.test(code) ? 'refused' : 'unknown';
  return new ProviderError(outcome, code || 'malformed_answer', `unionpay ${what}: ${reasonOf(code, words)}`);
}

/** UnionPay reads the status only; `ok` is customary (providers.md 3.7). */
function acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement {
  const headers = { 'content-type': 'text/plain' };
  return { status: acknowledgedBy[outcome], headers, body: outcome === 'accepted' ? 'ok' : 'fail' };
}
