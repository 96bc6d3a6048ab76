import { z } from 'zod';
import { share, type StatementEntry } from '../statements.ts';
import { amountOf, type Amount } from './money.ts';
import type { Answer, Call, Platform } from './platform.ts';
import { timeOf } from './platform.ts';
import { invalid } from './refusal.ts';

const LONGEST_MS = 31 * 24 * 3600 * 1000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const time = z
  .string()
  .refine((value) => TIME.test(value) && !Number.isNaN(Date.parse(value)))
  .transform((value) => Date.parse(value));
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((value) => value >= least && value <= most);

const SearchFields = z.object({
  start_date: time,
  end_date: time,
  fields: z.string().default('transaction_info'),
  page_size: whole(1, 500).default(100),
  page: whole(1, 2_147_483_647).default(1),
});

/** GET /v1/reporting/transactions: oldest first, in pages. */
export function listTransactions({ desk }: Platform, { merchant, query }: Call): Answer {
  const { data: wish, error } = SearchFields.safeParse(Object.fromEntries(query));
  if (!wish) throw wrong(String(error.issues[0]?.path[0] ?? ''));
  const { start_date: from, end_date: last, page, page_size: size } = wish;
  if (last < from || last - from > LONGEST_MS) throw wrong('end_date');
  const found = desk.statements.entries('paypal', merchant.clientId, { from, to: last + 1 });
  const shown = found.slice((page - 1) * size, page * size);
  const body = {
    transaction_details: shown.map((entry) => ({ transaction_info: transactionInfo(merchant.payeeId, entry) })),
    account_number: merchant.payeeId,
    start_date: timeOf(from),
    end_date: timeOf(last),
    last_refreshed_datetime: timeOf(desk.now()),
    page,
    total_items: found.length,
    total_pages: Math.max(1, Math.ceil(found.length / size)),
    links: [],
  };
  return { status: 200, body };
}

const wrong = (field: string) => invalid('INVALID_PARAMETER_VALUE', field, 'The value of a parameter is not valid.');

function transactionInfo(payeeId: string, entry: StatementEntry): object {
  const { type, tradeNo, outTradeNo, refundTradeNo, amount, currency, at } = entry;
  const isRefund = type === 'refund';
  return {
    paypal_account_id: payeeId,
    transaction_id: refundTradeNo ?? tradeNo,
    ...(isRefund && { paypal_reference_id: tradeNo, paypal_reference_id_type: 'TXN' }),
    transaction_event_code: isRefund ? 'T1107' : 'T0006',
    transaction_initiation_date: offset(at),
    transaction_updated_date: offset(at),
    transaction_amount: isRefund ? negative(amountOf(amount, currency)) : amountOf(amount, currency),
    // Kept when the money goes back.
    ...(!isRefund && { fee_amount: negative(amountOf(share(amount, 349) + 49, currency)) }),
    transaction_status: 'S',
    custom_field: outTradeNo,
    protection_eligibility: '01',
  };
}

/** This API writes the offset without a colon. */
const offset = (at: number): string => timeOf(at).replace('Z', '+0000');
const negative = ({ currency_code, value }: Amount): Amount => ({ currency_code, value: `-${value}` });
