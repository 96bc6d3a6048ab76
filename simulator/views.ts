import type { Desk, SimulatedProvider } from './provider.ts';
import type { LedgerEntry, Notice, Payment, Refund } from './records.ts';
import { statusAt } from './records.ts';

const rfc3339 = (at: number): string => new Date(at).toISOString();
const orNull = (at: number | null): string | null => (at === null ? null : rfc3339(at));

/** A payment as the control calls answer it. */
export function paymentView({ books, now }: Desk, provider: SimulatedProvider, payment: Payment): object {
  return {
    provider: payment.provider,
    merchant: payment.merchant,
    out_trade_no: payment.outTradeNo,
    trade_no: payment.tradeNo,
    order: payment.order,
    status: statusAt(payment, now()),
    amount: payment.amount,
    paid_amount: payment.paidAmount,
    currency: payment.currency,
    description: payment.description,
    url: provider.linkTo(payment),
    created_at: rfc3339(payment.createdAt),
    expires_at: orNull(payment.expiresAt),
    paid_at: orNull(payment.paidAt),
    refunds: books.refundsOf(payment).map(refundView),
    notices: books.noticesOf(payment).map(noticeView),
  };
}

function refundView(refund: Refund): object {
  return {
    out_refund_no: refund.outRefundNo,
    trade_no: refund.tradeNo,
    amount: refund.amount,
    status: refund.status,
    created_at: rfc3339(refund.createdAt),
    settled_at: orNull(refund.settledAt),
  };
}

function noticeView(notice: Notice): object {
  const { id, event, status, attempts, dueAt, lastError } = notice;
  const next = status === 'due' ? rfc3339(dueAt) : null;
  return { id, event, status, attempts, next_attempt_at: next, last_error: lastError };
}

/** A row of the statement (contract, section 6). */
export function ledgerView(entry: LedgerEntry): object {
  const { provider, outTradeNo, tradeNo, type, amount, currency, at } = entry;
  return { provider, out_trade_no: outTradeNo, trade_no: tradeNo, type, amount, currency, at: rfc3339(at) };
}
