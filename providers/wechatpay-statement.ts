/** WeChat Pay's trade bill: a link to a CSV file, whose SHA-1 the signed answer tells. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Day } from '../domain/statement-day.ts';
import type { StatementLine } from '../domain/reconciliation.ts';
import { readShape } from './adapting.ts';
import { feeOf, signedFen, unreadableBill } from './bill.ts';
import { ProviderError, statementNotReady } from './provider.ts';
import { instantOf } from './text.ts';
import type { WechatPayWire } from './wechatpay-wire.ts';

const Link = z.object({ hash_type: z.literal('SHA1'), hash_value: z.string(), download_url: z.url() });

/** @throws ProviderError */
export async function wechatPayStatement(wire: WechatPayWire, day: Day): Promise<StatementLine[]> {
  const link = await linkTo(wire, day);
  if (link === null) return [];
  const { pathname, search } = new URL(link.download_url);
  // The path counts, the host is the one that all else is asked of.
  const file = await wire.download('statement', pathname + search);
  const hash = createHash('sha1').update(file).digest('hex');
  if (hash !== link.hash_value.toLowerCase()) throw unreadableBill('wechatpay', 'not the file that was announced');
  return rowsIn(new TextDecoder('utf-8').decode(file)).flatMap((row) => lineIn(row) ?? []);
}

/** null where there is no bill, since nothing was sold. */
async function linkTo(wire: WechatPayWire, day: Day): Promise<z.infer<typeof Link> | null> {
  let answer: unknown;
  try {
    answer = await wire.get('statement', `/v3/bill/tradebill?bill_date=${day}&bill_type=ALL`);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === 'NO_STATEMENT_EXIST') return null;
    throw error.code === 'STATEMENT_CREATING' ? statementNotReady('wechatpay', error) : error;
  }
  return readShape(Link, answer, () => unreadableBill('wechatpay', 'no link'));
}

const COLUMNS = [
  '交易时间',
  '微信订单号',
  '商户订单号',
  '货币种类',
  '微信退款单号',
  '商户退款单号',
  '退款状态',
  '手续费',
  '订单金额',
  '申请退款金额',
] as const;
type Row = Record<(typeof COLUMNS)[number], string>;

/** The order of the columns may change; each value has a backtick in front, so that commas in names do no harm. */
function rowsIn(text: string): Row[] {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = header.split(',').map((name) => name.trim());
  const places = COLUMNS.map((column) => names.indexOf(column));
  if (places.includes(-1)) throw unreadableBill('wechatpay', `no column ${COLUMNS[places.indexOf(-1)]}`);
  // A second header begins the sums.
  const end = lines.findIndex((line) => line.startsWith('总交易单数'));
  if (end < 0) throw unreadableBill('wechatpay', 'cut off: the sums are missing');
  return lines.slice(0, end).map((line) => {
    const cells = line.split(/,?`/).slice(1);
    if (cells.length !== names.length) throw unreadableBill('wechatpay', 'a line is malformed');
    return Object.fromEntries(COLUMNS.map((column, index) => [column, cells[places[index]!]!.trim()])) as Row;
  });
}

/** A refund that failed, or for which a person has to act, has moved nothing. */
const FAILED = ['FAIL', 'FAILED', 'CHANGE', 'CLOSED', 'ABNORMAL'];

/** undefined for what moved nothing. Without a refund's number it is a payment. */
function lineIn(row: Row): StatementLine | undefined {
  const refundId = row.微信退款单号 === '0' ? '' : row.微信退款单号;
  const type = refundId === '' ? 'capture' : 'refund';
  if (type === 'refund' && FAILED.includes(row.退款状态)) return undefined;
  const amount = signedFen(type === 'capture' ? row.订单金额 : row.申请退款金额);
  const fee = signedFen(row.手续费 || '0');
  const tradeNo = row.微信订单号;
  if (tradeNo === '' || amount === undefined || fee === undefined)
    throw unreadableBill('wechatpay', 'a line is malformed');
  return {
    id: refundId || tradeNo,
    type,
    reference: type === 'capture' ? tradeNo : row.商户退款单号 === '0' ? refundId : row.商户退款单号 || refundId,
    outTradeNo: row.商户订单号 || null,
    amount: Math.abs(amount),
    currency: row.货币种类 || 'CNY',
    fee: feeOf(type, fee),
    feeCurrency: 'CNY',
    isSettled: type === 'capture' || row.退款状态 === 'SUCCESS',
    at: instantOf(`${row.交易时间.replace(' ', 'T')}+08:00`) ?? null,
  };
}
