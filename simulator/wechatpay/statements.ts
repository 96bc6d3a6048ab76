import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { beijingDayPeriod, share, type StatementEntry } from '../statements.ts';
import type { Answer, Call, Platform } from './platform.ts';
import { Refusal, wrongField } from './refusal.ts';
import { beijingTime } from './time.ts';

const KEPT_MS = 90 * 24 * 3600 * 1000;

/** GET /v3/bill/tradebill: a link to the bill of a day, and the hash of what it leads to. */
export function tradeBill({ desk, bills }: Platform, { merchant, query }: Call): Answer {
  const day = query.get('bill_date') ?? '';
  const kind = query.get('bill_type') ?? 'ALL';
  const tar = query.get('tar_type');
  const period = beijingDayPeriod(day);
  if (!period) throw wrongField('query', 'bill_date', day, '格式须为yyyy-MM-DD');
  if (kind !== 'ALL') throw wrongField('query', 'bill_type', kind, '模拟器只支持ALL');
  if (tar !== null && tar !== 'GZIP') throw wrongField('query', 'tar_type', tar, '可选取值为GZIP');
  if (desk.now() - period.from > KEPT_MS) throw new Refusal(400, 'INVALID_REQUEST', '仅支持三个月内的账单下载申请');
  if (!desk.statements.isMade(period)) throw new Refusal(400, 'STATEMENT_CREATING', '账单生成中');
  const entries = desk.statements.entries('wechatpay', merchant.mchid, period, 'asked');
  if (entries.length === 0) throw new Refusal(400, 'NO_STATEMENT_EXIST', '账单文件不存在');
  const bill = Buffer.from(billOf(merchant.mchid, merchant.appids[0]!, entries));
  const token = bills.make({ merchant: merchant.mchid, file: tar === null ? bill : gzipSync(bill) });
  const body = {
    hash_type: 'SHA1',
    // Of the bill itself, also where it comes packed.
    hash_value: createHash('sha1').update(bill).digest('hex'),
    download_url: `${desk.origin()}/v3/billdownload/file?token=${token}`,
  };
  return { status: 200, body };
}

/** GET /v3/billdownload/file: for whom the link was made only. */
export function billFile({ bills }: Platform, { merchant, query }: Call): Buffer {
  const found = bills.find(query.get('token') ?? '');
  if (!found) throw new Refusal(400, 'INVALID_REQUEST', '账单下载链接已失效');
  if (found.merchant !== merchant.mchid) throw new Refusal(403, 'NO_AUTH', '商户号与申请账单的商户号不一致');
  return found.file;
}

const HEADER =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,' +
  '微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
const SUMS = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';

function billOf(mchid: string, appid: string, entries: readonly StatementEntry[]): string {
  const captured = total(entries, 'capture');
  const refunded = total(entries, 'refund');
  const fees = entries.reduce((sum, entry) => sum + fee(entry), 0);
  const sums = [String(entries.length), yuan(captured), yuan(refunded), '0.00', `${yuan(fees)}000`, yuan(captured)];
  const lines = [HEADER, ...entries.map((entry) => row(mchid, appid, entry)), SUMS, ticked([...sums, yuan(refunded)])];
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

function row(mchid: string, appid: string, entry: StatementEntry): string {
  const isRefund = entry.type === 'refund';
  const [paid, refunded] = isRefund ? ['0.00', yuan(entry.amount)] : [yuan(entry.amount), '0.00'];
  const state = isRefund ? (entry.isSettled ? 'SUCCESS' : 'PROCESSING') : '';
  const time = beijingTime(entry.at).slice(0, 19).replace('T', ' ');
  const about = [
    time,
    appid,
    mchid,
    '0',
    '',
    entry.tradeNo,
    entry.outTradeNo,
    'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    'NATIVE',
  ];
  const how = [isRefund ? 'REFUND' : 'SUCCESS', 'OTHERS', entry.currency, paid, '0.00'];
  const refund = [
    entry.refundTradeNo ?? '0',
    entry.outRefundNo ?? '0',
    refunded,
    '0.00',
    isRefund ? 'ORIGINAL' : '',
    state,
  ];
  return ticked([
    ...about,
    ...how,
    ...refund,
    entry.description,
    '',
    `${yuan(fee(entry))}000`,
    '0.60%',
    paid,
    refunded,
    '',
  ]);
}

/** So that a spreadsheet leaves long numbers as they are. */
const ticked = (values: readonly string[]): string => values.map((value) => `\`${value}`).join(',');

const fee = ({ type, amount }: StatementEntry): number => (type === 'capture' ? 1 : -1) * share(amount, 60);

const total = (entries: readonly StatementEntry[], type: string): number =>
  entries.filter((entry) => entry.type === type).reduce((sum, { amount }) => sum + amount, 0);

function yuan(fen: number): string {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
