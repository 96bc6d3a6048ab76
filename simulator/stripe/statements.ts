import { createHash } from 'node:crypto';
import { z } from 'zod';
import { share, type StatementEntry } from '../statements.ts';
import { checked, integer, list } from './form.ts';
import { CHARGE, REFUND } from './objects.ts';
import type { Call, Platform } from './platform.ts';
import { seconds } from './platform.ts';
import { missing } from './refusal.ts';
import { listObject } from './views.ts';

const ListFields = z.strictObject({
  created: z
    .strictObject({
      gt: integer.optional(),
      gte: integer.optional(),
      lt: integer.optional(),
      lte: integer.optional(),
    })
    .optional(),
  limit: integer.refine((value) => value >= 1 && value <= 100, 'between 1 and 100').optional(),
  starting_after: z.string().optional(),
  expand: list(z.string()).optional(),
});

/** GET /v1/balance_transactions: what changed the balance, newest first. */
export function listBalanceTransactions({ desk }: Platform, { merchant, params }: Call): object {
  const { created = {}, limit = 10, starting_after: after, expand = [] } = checked(ListFields, params);
  const { gt = -1, gte = 0, lt = Number.MAX_SAFE_INTEGER, lte = Number.MAX_SAFE_INTEGER } = created;
  const all = desk.statements
    .entries('stripe', merchant.stripeAccount, { from: 0, to: Number.MAX_SAFE_INTEGER })
    .map((entry) => ({ id: idOf(entry), entry, at: seconds(entry.at) }))
    .filter(({ at }) => at > gt && at >= gte && at < lt && at <= lte)
    .toReversed();
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw missing('balance transaction', after, 'starting_after');
  const isWhole = expand.includes('data.source');
  const data = all.slice(from, from + limit).map(({ entry }) => balanceTransaction(entry, isWhole));
  return listObject('/v1/balance_transactions', data, from + limit < all.length);
}

/** The same for the same movement, whenever it is asked for. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);
const idOf = ({ type, tradeNo, refundTradeNo }: StatementEntry): string =>
  `txn_${hashOf(`${type} ${refundTradeNo ?? tradeNo}`)}`;

function balanceTransaction(entry: StatementEntry, isWhole: boolean): object {
  const { type, amount, currency, at, description } = entry;
  const isRefund = type === 'refund';
  const gross = isRefund ? -amount : amount;
  // A refund gives no fee back.
  const fee = isRefund ? 0 : share(amount, 290) + 30;
  const source = isRefund ? refundSource(entry) : chargeSource(entry);
  return {
    id: idOf(entry),
    object: 'balance_transaction',
    amount: gross,
    available_on: seconds(at),
    balance_type: 'payments',
    created: seconds(at),
    currency: currency.toLowerCase(),
    description,
    exchange_rate: null,
    fee,
    fee_details: isRefund
      ? []
      : [{ amount: fee, application: null, currency: currency.toLowerCase(), description: 'fees', type: 'stripe_fee' }],
    net: gross - fee,
    reporting_category: isRefund ? 'refund' : 'charge',
    source: isWhole ? source : source.id,
    status: 'pending',
    type: isRefund ? 'refund' : 'charge',
  };
}

const chargeSource = ({ tradeNo, outTradeNo, amount, currency, at }: StatementEntry) => ({
  ...CHARGE,
  id: `ch_${hashOf(tradeNo)}`,
  amount,
  amount_captured: amount,
  amount_refunded: 0,
  captured: true,
  created: seconds(at),
  currency: currency.toLowerCase(),
  metadata: { out_trade_no: outTradeNo },
  paid: true,
  payment_intent: tradeNo,
  refunded: false,
  status: 'succeeded',
});

const refundSource = ({ tradeNo, outTradeNo, outRefundNo, refundTradeNo, amount, currency, at }: StatementEntry) => ({
  ...REFUND,
  id: refundTradeNo ?? '',
  amount,
  charge: `ch_${hashOf(tradeNo)}`,
  created: seconds(at),
  currency: currency.toLowerCase(),
  metadata: { out_trade_no: outTradeNo, out_refund_no: outRefundNo ?? '' },
  payment_intent: tradeNo,
  status: 'succeeded',
});
