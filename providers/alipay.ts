/**
 * Alipay, v2 gateway, as a direct merchant (providers.md section 1).
 *
 *     alipay(account, realEdge('https://openapi.alipay.com/gateway.do'))
 */
import { METHODS, type PaymentMethod } from '../domain/method.ts';
import type { Money } from '../domain/money.ts';
import { acknowledgedBy, fenWithin, ofMethod } from './adapting.ts';
import {
  barcodeAnswered,
  noticeIn,
  qrCodeIn,
  refundAnswered,
  refundFound,
  revokeAnswered,
  tradeAnswered,
  yuan,
} from './alipay-reports.ts';
import { alipayStatement } from './alipay-statement.ts';
import { alipayTime, alipayWire, type AlipayAccount, type AlipayWire } from './alipay-wire.ts';
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
import { withinBytes } from './text.ts';

export type { AlipayAccount } from './alipay-wire.ts';

type Desk = { wire: AlipayWire; now: () => number };

/** @throws Error if the account's keys can't be what they should be; names the field */
export function alipay(account: AlipayAccount, edge: Edge): PaymentProvider {
  const desk: Desk = { wire: alipayWire(account, edge), now: edge.now };
  return {
    name: 'alipay',
    open: (attempt) => open(desk, attempt),
    query: (payment) => query(desk, payment),
    close: (payment) => (payment.method === 'alipay.barcode' ? revoke(desk, payment) : close(desk, payment)),
    refund: (request) => refund(desk, request),
    queryRefund: (request) => queryRefund(desk, request),
    statement: (day) => alipayStatement(desk.wire, edge, day),
    readNotice: async ({ body }) => noticeIn(desk.wire, body, edge.now()),
    acknowledge,
    isOurs: ({ merchantNo, appId }) => merchantNo === account.sellerId && appId === account.appId,
  };
}

/** What every way to pay is told (1.5, 1.6). */
function tradeContent(attempt: Attempt): Record<string, string> {
  return {
    out_trade_no: attempt.outTradeNo,
    total_amount: yuan(fen(attempt.money)),
    // Alipay wants none of these three characters.
    subject: withinBytes(attempt.description.replace(/[/=&]+/g, ' '), 256) || attempt.outTradeNo,
    time_expire: alipayTime(attempt.expiresAt),
    passback_params: encodeURIComponent(attempt.orderId),
  };
}

type Opening = (desk: Desk, attempt: Attempt, content: object) => Promise<Opened>;

const OPENINGS: Record<Extract<PaymentMethod, `alipay.${string}`>, Opening> = {
  'alipay.page': async ({ wire }, attempt, content) =>
    redirect(wire.link('alipay.trade.page.pay', { ...content, product_code: 'FAST_INSTANT_TRADE_PAY' }, attempt)),
  'alipay.wap': async ({ wire }, attempt, content) => {
    const page = { ...content, product_code: 'QUICK_WAP_WAY', quit_url: attempt.returnUrl };
    return redirect(wire.link('alipay.trade.wap.pay', page, attempt));
  },
  'alipay.qr': (desk, attempt, content) => openQr(desk, attempt, { ...content, product_code: 'QR_CODE_OFFLINE' }),
  // A code is good for one try: what came of it is told at once.
  'alipay.barcode': async (desk, attempt, content) => ({
    action: null,
    reference: null,
    report: await paidByCode(desk, attempt, content),
  }),
};

async function open(desk: Desk, attempt: Attempt): Promise<Opened> {
  return ofMethod(OPENINGS, attempt.method)(desk, attempt, tradeContent(attempt));
}

const redirect = (url: string): Opened => ({ action: { type: 'redirect', url }, reference: null });

/** The number has a history: paid, closed, or opened otherwise. Only a query tells which (rule 7). */
const NUMBER_TAKEN = [
  'ACQ.TRADE_HAS_SUCCESS',
  'ACQ.TRADE_HAS_CLOSE',
  'ACQ.CONTEXT_INCONSISTENT',
  'ACQ.APPLY_PC_MERCHANT_CODE_ERROR',
];

async function openQr({ wire }: Desk, { outTradeNo, notifyUrl }: Attempt, content: object): Promise<Opened> {
  try {
    const node = await wire.ask('open', 'alipay.trade.precreate', content, { notifyUrl });
    return { action: { type: 'qr', content: qrCodeIn(outTradeNo, node) }, reference: null };
  } catch (error) {
    if (!isRefusal(error, NUMBER_TAKEN)) throw error;
    throw new ProviderError('unknown', error.code, error.message, { cause: error });
  }
}

async function paidByCode(desk: Desk, attempt: Attempt, content: object): Promise<PaymentReport> {
  const { buyer, outTradeNo, notifyUrl } = attempt;
  const authCode = buyer.auth_code;
  if (authCode === undefined)
    throw new ProviderError('refused', 'missing_buyer_field', 'alipay: the method needs auth_code');
  try {
    const shown = { ...content, auth_code: authCode, scene: 'bar_code' };
    const node = await desk.wire.ask('pay', 'alipay.trade.pay', shown, { notifyUrl });
    return barcodeAnswered(outTradeNo, node, desk.now());
  } catch (error) {
    if (isRefusal(error, NUMBER_TAKEN)) return query(desk, { ...attempt, reference: null });
    if (isRefusal(error) && isAboutThePayment(error)) return { state: 'failed', reason: error.code };
    throw error;
  }
}

async function query({ wire, now }: Desk, payment: PaymentRef): Promise<PaymentReport> {
  fen(payment.money);
  try {
    const node = await wire.ask('query', 'alipay.trade.query', { out_trade_no: payment.outTradeNo });
    return tradeAnswered(payment, node, now());
  } catch (error) {
    if (isRefusal(error, ['ACQ.TRADE_NOT_EXIST'])) return { state: 'unknown' };
    throw error;
  }
}

/**
 * Resolves also when Alipay refused because of the payment itself: paid, closed, or unknown since the buyer has not
 * come yet; the caller must query next, whatever came of it.
 */
async function close({ wire }: Desk, { outTradeNo, money }: PaymentRef): Promise<null> {
  fen(money);
  try {
    await wire.ask('close', 'alipay.trade.close', { out_trade_no: outTradeNo });
  } catch (error) {
    if (!isRefusal(error) || !isAboutThePayment(error)) throw error;
  }
  return null;
}

/** For bar codes: closes, or gives back what was paid meanwhile. Only on the day of the payment; then a close may do. */
async function revoke(desk: Desk, payment: PaymentRef): Promise<PaymentReport | null> {
  fen(payment.money);
  let node: unknown;
  try {
    node = await desk.wire.ask('revoke', 'alipay.trade.cancel', { out_trade_no: payment.outTradeNo });
  } catch (error) {
    if (!isRefusal(error) || !isAboutThePayment(error)) throw error;
    return close(desk, payment);
  }
  const { retry, refunded } = revokeAnswered(node);
  if (retry) throw new ProviderError('busy', 'retry_flag', 'alipay revoke: to be asked for again');
  return refunded ? query(desk, payment) : null;
}

/** Alipay wants a new question no sooner (1.6). Milliseconds. */
const ASK_AGAIN_MS = 10_000;

/**
 * A repeated request moves no money a second time, and says so (`fund_change` N) whether the first one has or is still
 * to: then a query tells. While it says nothing, the same request is to be made again, for only that tells of a failure.
 */
async function refund(desk: Desk, request: RefundRequest): Promise<RefundReport> {
  const reason = withinBytes(request.reason, 256);
  fen(request.paid);
  const node = await desk.wire.ask('refund', 'alipay.trade.refund', {
    ...numbersOf(request),
    refund_amount: yuan(fen(request.refund)),
    out_request_no: request.outRefundNo,
    ...(reason && { refund_reason: reason }),
  });
  const report = refundAnswered(request, node, desk.now()) ?? (await queryRefund(desk, request));
  if (report.state !== 'unknown') return report;
  const later = { retryAfterMs: ASK_AGAIN_MS };
  throw new ProviderError('busy', 'refund_under_way', 'alipay refund: no money has moved yet', later);
}

async function queryRefund({ wire, now }: Desk, request: RefundRequest): Promise<RefundReport> {
  fen(request.refund);
  try {
    const node = await wire.ask('queryRefund', 'alipay.trade.fastpay.refund.query', {
      ...numbersOf(request),
      out_request_no: request.outRefundNo,
      query_options: ['gmt_refund_pay'],
    });
    return refundFound(request, node, now());
  } catch (error) {
    if (isRefusal(error, ['ACQ.TRADE_NOT_EXIST'])) return { state: 'unknown' };
    throw error;
  }
}

const numbersOf = ({ outTradeNo, tradeNo }: RefundRequest): object => ({
  out_trade_no: outTradeNo,
  ...(tradeNo && { trade_no: tradeNo }),
});

const fen = (money: Money): number => fenWithin(money, METHODS['alipay.page'].mostAmount);

/** Exactly this body is what Alipay waits for; it knows no other word, and repeats. */
function acknowledge(outcome: 'accepted' | 'failed' | 'rejected'): Acknowledgement {
  const status = acknowledgedBy[outcome];
  return { status, headers: { 'content-type': 'text/plain' }, body: outcome === 'accepted' ? 'success' : 'fail' };
}

/** These say who we are or how we ask, and nothing about the payment. */
const ABOUT_US = ['ACQ.ACCESS_FORBIDDEN', 'ACQ.PARTNER_ERROR', 'ACQ.INVALID_PARAMETER'];
const isAboutThePayment = ({ code }: ProviderError): boolean => code.startsWith('ACQ.') && !ABOUT_US.includes(code);
