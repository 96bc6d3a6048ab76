/** PayPal's Transaction Search: the balance-affecting transactions of the day. The app needs that permission. */
import * as z from 'zod';
import type { Day } from '../domain/statement-day.ts';
import type { StatementLine } from '../domain/reconciliation.ts';
import { readShape } from './adapting.ts';
import { unreadableBill } from './bill.ts';
import { moneyOf } from './paypal-money.ts';
import type { PayPalWire } from './paypal-wire.ts';
import { ProviderError } from './provider.ts';
import { instantOf } from './text.ts';

const Amount = z.object({ currency_code: z.string(), value: z.string() });
const Transaction = z.object({
  transaction_id: z.string().min(1).max(24),
  transaction_event_code: z.string(),
  transaction_status: z.string(),
  transaction_initiation_date: z.string().optional(),
  transaction_amount: Amount,
  fee_amount: Amount.optional(),
  custom_field: z.string().optional(),
});
type Transaction = z.infer<typeof Transaction>;
const Page = z.object({
  transaction_details: z.array(z.object({ transaction_info: Transaction })),
  total_pages: z.number().int().min(0).default(1),
});

const PAGE_SIZE = 500;

/** @throws ProviderError refused RESULTSET_TOO_LARGE for more than PayPal lists (10,000) */
export async function payPalStatement(wire: PayPalWire, day: Day): Promise<StatementLine[]> {
  const lines: StatementLine[] = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { transaction_details: details, total_pages } = await readPage(wire, day, page);
    for (const { transaction_info: info } of details) {
      const line = await lineOf(wire, info);
      if (line) lines.push(line);
    }
    pages = total_pages;
  }
  return lines;
}

async function readPage(wire: PayPalWire, day: Day, page: number): Promise<z.infer<typeof Page>> {
  const query = new URLSearchParams({
    start_date: `${day}T00:00:00Z`,
    end_date: `${day}T23:59:59.999Z`,
    fields: 'transaction_info',
    page_size: String(PAGE_SIZE),
    page: String(page),
  });
  const answer = await wire.get('statement', `/v1/reporting/transactions?${query.toString()}`);
  return readShape(Page, answer, (why) => unreadableBill('paypal', why));
}

/** undefined for what moved nothing (denied) and for what is neither payment nor refund: transfers, conversions, disputes. */
async function lineOf(wire: PayPalWire, info: Transaction): Promise<StatementLine | undefined> {
  const { transaction_id: id, transaction_event_code: code, transaction_status: status } = info;
  const isRefund = code === 'T1107';
  if (status === 'D' || (!isRefund && !code.startsWith('T00'))) return undefined;
  const amount = signed(info.transaction_amount);
  // Money that we send to somebody has these codes too.
  if (!isRefund && amount.amount < 0) return undefined;
  const fee = info.fee_amount ? signed(info.fee_amount) : { amount: 0, currency: amount.currency };
  return {
    id,
    type: isRefund ? 'refund' : 'capture',
    reference: isRefund ? await refundNumber(wire, id) : id,
    outTradeNo: isRefund ? null : (info.custom_field ?? null),
    amount: Math.abs(amount.amount),
    currency: amount.currency,
    fee: fee.amount === 0 ? 0 : -fee.amount,
    feeCurrency: fee.currency,
    isSettled: status !== 'P',
    at: instantOf(info.transaction_initiation_date?.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) ?? null,
  };
}

/** The search does not say whose number stands in a refund's `custom_field`; the refund itself does. */
async function refundNumber(wire: PayPalWire, id: string): Promise<string> {
  try {
    const refund = await wire.get('statement', `/v2/payments/refunds/${encodeURIComponent(id)}`);
    return z.object({ custom_id: z.string() }).safeParse(refund).data?.custom_id ?? id;
  } catch (error) {
    if (error instanceof ProviderError && ['INVALID_RESOURCE_ID', 'RESOURCE_NOT_FOUND'].includes(error.code)) return id;
    throw error;
  }
}

function signed({ currency_code, value }: z.infer<typeof Amount>): { amount: number; currency: string } {
  const isNegative = value.startsWith('-');
  const money = moneyOf({ currency_code, value: isNegative ? value.slice(1) : value });
  if (!money) throw unreadableBill('paypal', 'an amount is malformed');
  return isNegative ? { ...money, amount: -money.amount } : money;
}
