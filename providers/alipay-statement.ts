/** Alipay's trade bill (`bill_type` trade): a link to a zip with CSV files in GBK. */
import * as z from 'zod';
import type { Day } from '../domain/statement-day.ts';
import type { StatementLine } from '../domain/reconciliation.ts';
import { readShape } from './adapting.ts';
import { alipayInstant, type AlipayWire } from './alipay-wire.ts';
import { feeOf, signedFen, unreadableBill, unzipped } from './bill.ts';
import { BILL_LIMITS, call, type Edge } from './http.ts';
import { ProviderError } from './provider.ts';

const Link = z.object({ bill_download_url: z.url({ protocol: /^https?$/ }) });

/** @throws ProviderError */
export async function alipayStatement(wire: AlipayWire, edge: Edge, day: Day): Promise<StatementLine[]> {
  const url = await linkTo(wire, day);
  if (url === null) return [];
  const headers = { 'user-agent': 'durable-orders' };
  const answer = await call(edge, 'alipay statement', { method: 'GET', url, headers, body: null, limits: BILL_LIMITS });
  if (answer.status !== 200)
    throw new ProviderError('unknown', `HTTP_${answer.status}`, `alipay statement: ${answer.status}`);
  const texts = [...unzipped('alipay', answer.body).values()].map((file) => new TextDecoder('gbk').decode(file));
  const details = texts.map(tableIn).filter((table) => table !== undefined);
  // The names are in Chinese and their encoding differs, so that the file is known by what it says.
  if (details.length === 0) throw unreadableBill('alipay', 'no file with the details');
  return details.flat().flatMap((row) => lineIn(row) ?? []);
}

/** Good for 30 seconds; null where there is no bill, since nothing was sold. */
async function linkTo(wire: AlipayWire, day: Day): Promise<URL | null> {
  const wish = { bill_type: 'trade', bill_date: day };
  let node: unknown;
  try {
    node = await wire.ask('statement', 'alipay.data.dataservice.bill.downloadurl.query', wish);
  } catch (error) {
    if (error instanceof ProviderError && /bill_?not_?exist/i.test(error.code)) return null;
    throw error;
  }
  return new URL(readShape(Link, node, () => unreadableBill('alipay', 'no link')).bill_download_url);
}

const COLUMNS = ['支付宝交易号', '商户订单号', '业务类型', '完成时间', '订单金额', '退款批次号', '服务费'] as const;
type Row = Record<(typeof COLUMNS)[number], string>;

/** The rows behind the header, up to the next line of remarks; undefined for a file without that header. */
function tableIn(text: string): Row[] | undefined {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('支付宝交易号,商户订单号,'));
  if (start < 0) return undefined;
  const names = cellsOf(lines[start]!).map((name) => name.replace(/[（(]元[)）]$|\/请求号$/, ''));
  const places = COLUMNS.map((column) => names.indexOf(column));
  if (places.includes(-1)) throw unreadableBill('alipay', `no column ${COLUMNS[places.indexOf(-1)]}`);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('#'));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = withoutCommasInNames(cellsOf(line), names);
      return Object.fromEntries(COLUMNS.map((column, index) => [column, cells[places[index]!] ?? ''])) as Row;
    });
}

/** Numbers end in a tab, lest a spreadsheet spoil them. */
const cellsOf = (line: string): string[] => line.split(',').map((cell) => cell.trim());

/** Nothing is quoted: what a row has too many stands in the goods' name, in front of the two times, or in the remark. */
function withoutCommasInNames(cells: string[], names: readonly string[]): string[] {
  const [name, times] = [names.indexOf('商品名称'), [names.indexOf('创建时间'), names.indexOf('完成时间')]];
  const tooMany = cells.length - names.length;
  for (let more = 0; more <= tooMany; more += 1)
    if (times.every((at) => alipayInstant(cells[at + more]) !== undefined))
      return [...cells.slice(0, name), cells.slice(name, name + more + 1).join(','), ...cells.slice(name + more + 1)];
  return cells;
}

const TYPES: Readonly<Record<string, StatementLine['type']>> = { 交易: 'capture', 退款: 'refund' };

/** undefined for what is neither payment nor refund. */
function lineIn(row: Row): StatementLine | undefined {
  const type = TYPES[row.业务类型];
  if (!type) return undefined;
  const [tradeNo, outTradeNo, refundNo] = [row.支付宝交易号, row.商户订单号, row.退款批次号];
  const [amount, fee] = [signedFen(row.订单金额), signedFen(row.服务费 || '0')];
  if (tradeNo === '' || amount === undefined || fee === undefined)
    throw unreadableBill('alipay', 'a line is malformed');
  return {
    id: type === 'capture' ? tradeNo : `${tradeNo}/${refundNo}`,
    type,
    // A revoke's refund has no number of ours: it is known by its payment.
    reference: type === 'capture' ? tradeNo : refundNo || tradeNo,
    outTradeNo: outTradeNo || null,
    amount: Math.abs(amount),
    currency: 'CNY',
    fee: feeOf(type, fee),
    feeCurrency: 'CNY',
    isSettled: true,
    at: alipayInstant(row.完成时间) ?? null,
  };
}
