/** UnionPay's file of a settlement day: a zip, deflated and in base64 in a signed message; inside, lines of fixed width. */
import { inflateSync } from 'node:zlib';
import type { Day } from '../domain/statement-day.ts';
import type { StatementLine } from '../domain/reconciliation.ts';
import { feeOf, unreadableBill, unzipped } from './bill.ts';
import { BILL_LIMITS } from './http.ts';
import { ProviderError } from './provider.ts';
import { compactBeijingTime, instantOfCompact } from './text.ts';
import { reasonOf } from './unionpay-reports.ts';
import type { UnionPayWire } from './unionpay-wire.ts';

/** No file: nothing was settled on that day (respCode 98). */
const NO_FILE = '98';

/** @throws ProviderError */
export async function unionPayStatement(wire: UnionPayWire, day: Day, nowMs: number): Promise<StatementLine[]> {
  const {
    respCode = '',
    respMsg = '',
    fileContent,
  } = await wire.askForFile('statement', {
    txnType: '76',
    txnSubType: '01',
    bizType: '000000',
    txnTime: compactBeijingTime(nowMs),
    settleDate: day.slice(5).replace('-', ''),
    fileType: '00',
  });
  if (respCode === NO_FILE) return [];
  if (respCode !== '00' || !fileContent)
    throw new ProviderError(
      'unknown',
      respCode || 'malformed_answer',
      `unionpay statement: ${reasonOf(respCode, respMsg)}`,
    );
  // ZM holds the ordinary transactions; ZME beside it those that are in dispute between banks.
  const files = [...unzipped('unionpay', inflated(fileContent))].filter(([name]) => name.includes('ZM_'));
  if (files.length === 0) throw unreadableBill('unionpay', 'no ZM file');
  return files
    .flatMap(([, bytes]) => Buffer.from(bytes).toString('latin1').split(/\r?\n/))
    .filter((line) => line.trim() !== '')
    .flatMap((line) => lineIn(line, day) ?? []);
}

function inflated(content: string): Uint8Array {
  try {
    return inflateSync(Buffer.from(content, 'base64'), { maxOutputLength: BILL_LIMITS.bytes });
  } catch {
    throw unreadableBill('unionpay', 'not deflated, or too large');
  }
}

/**
 * Bytes of each column of the ZM file, one blank between two (UnionPay's file specification, 6.1, as its Java sample
 * reads it). Later editions divide the last one.
 */
const WIDTHS = [
  3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13,
  8, 32, 13, 13, 12, 2, 1, 32,
];
/** Numbered from 1, as there. */
const COLUMN = { sentAt: 5, amount: 7, queryId: 10, orderId: 12, fee: 16, txnType: 20, originalOrderId: 41 } as const;

function column(line: string, number: number): string {
  const start = WIDTHS.slice(0, number - 1).reduce((sum, width) => sum + width + 1, 0);
  return line.slice(start, start + WIDTHS[number - 1]!).trim();
}

/** 31 is a payment taken back on its own day. */
const TYPES: Readonly<Record<string, StatementLine['type']>> = { '01': 'capture', '04': 'refund', '31': 'refund' };

/** undefined for what is neither payment nor refund. */
function lineIn(line: string, day: Day): StatementLine | undefined {
  const type = TYPES[column(line, COLUMN.txnType)];
  if (!type) return undefined;
  const [amount, queryId, orderId] = [COLUMN.amount, COLUMN.queryId, COLUMN.orderId].map((at) => column(line, at));
  // C is for us, D against us.
  const [, fee = '0'] = /^[CD]?0*(\d{1,12})$/.exec(column(line, COLUMN.fee)) ?? [];
  if (!queryId || !orderId || !/^\d{1,12}$/.test(amount!)) throw unreadableBill('unionpay', 'a line is malformed');
  return {
    id: queryId,
    type,
    reference: type === 'capture' ? queryId : orderId,
    outTradeNo: (type === 'capture' ? orderId : column(line, COLUMN.originalOrderId)) || null,
    amount: Number(amount),
    currency: 'CNY',
    fee: feeOf(type, Number(fee)),
    feeCurrency: 'CNY',
    isSettled: true,
    at: instantIn(column(line, COLUMN.sentAt), day),
  };
}

/** `MMDDhhmmss`, perhaps of the last days of the year before. */
function instantIn(time: string, day: Day): number | null {
  const year = Number(day.slice(0, 4)) - (time.slice(0, 2) > day.slice(5, 7) ? 1 : 0);
  return instantOfCompact(`${year}${time}`) ?? null;
}
