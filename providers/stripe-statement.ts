/** Stripe has no daily bill: the balance transactions of the day, each with what it is about. */
import type Stripe from 'stripe';
import { dayAfter } from '../domain/day.ts';
import { type Day, startOfStatement } from '../domain/statement-day.ts';
import type { StatementLine } from '../domain/reconciliation.ts';
import { unreadableBill } from './bill.ts';
import type { StripeWire } from './stripe-wire.ts';

const MOST_LINES = 500_000;

/** @throws ProviderError */
export async function stripeStatement(wire: StripeWire, day: Day): Promise<StatementLine[]> {
  const [gte, lt] = [day, dayAfter(day)].map((each) => startOfStatement('stripe', each) / 1000);
  return wire.ask('statement', async (stripe) => {
    const lines: StatementLine[] = [];
    const wish = { created: { gte: gte!, lt: lt! }, limit: 100, expand: ['data.source'] };
    for await (const transaction of stripe.balanceTransactions.list(wish)) {
      const line = lineOf(transaction);
      if (line) lines.push(line);
      if (lines.length > MOST_LINES) throw unreadableBill('stripe', 'too many lines');
    }
    return lines;
  });
}

/** undefined for what is neither payment nor refund: payouts, Stripe's own bills, disputes. */
function lineOf(transaction: Stripe.BalanceTransaction): StatementLine | undefined {
  const { source } = transaction;
  if (source === null) return undefined;
  if (typeof source === 'string') throw unreadableBill('stripe', 'source is not expanded');
  const kind = KINDS.get(transaction.type);
  if (kind === 'charge') return source.object === 'charge' ? chargeLine(transaction, source) : undefined;
  return kind !== undefined && source.object === 'refund' ? refundLine(transaction, source, kind) : undefined;
}

/** What money did; of a refund its sign: a failed one brings the money of an earlier one back. */
const KINDS = new Map<string, 'charge' | 1 | -1>([
  ['charge', 'charge'],
  ['payment', 'charge'],
  ['refund', 1],
  ['payment_refund', 1],
  ['refund_failure', -1],
]);

/** The transaction's own amount is in the account's currency; what was charged stands in the charge. */
function chargeLine(transaction: Stripe.BalanceTransaction, charge: Stripe.Charge): StatementLine {
  const { payment_intent: intent, amount_captured: amount, currency, metadata } = charge;
  return {
    ...common(transaction),
    type: 'capture',
    reference: (typeof intent === 'string' ? intent : intent?.id) ?? charge.id,
    outTradeNo: metadata['out_trade_no'] ?? null,
    amount,
    currency: currency.toUpperCase(),
  };
}

function refundLine(transaction: Stripe.BalanceTransaction, refund: Stripe.Refund, sign: 1 | -1): StatementLine {
  const { id, amount, currency, metadata, status } = refund;
  return {
    ...common(transaction),
    isSettled: status !== 'pending' && status !== 'requires_action',
    type: 'refund',
    reference: metadata?.['out_refund_no'] ?? id,
    outTradeNo: metadata?.['out_trade_no'] ?? null,
    amount: sign * amount,
    currency: currency.toUpperCase(),
  };
}

const common = ({ id, fee, currency, created }: Stripe.BalanceTransaction) => ({
  id,
  fee,
  feeCurrency: currency.toUpperCase(),
  isSettled: true,
  at: created * 1000,
});
