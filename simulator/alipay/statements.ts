import { zipSync } from 'fflate';
import { z } from 'zod';
import { gbk } from '../gbk.ts';
import { beijingDayPeriod, share, type StatementEntry } from '../statements.ts';
import { checked } from './fields.ts';
import type { KnownMerchant } from './merchant.ts';
import type { Call, Platform } from './platform.ts';
import { Refusal } from './refusal.ts';
import { beijingTime } from './time.ts';
import { yuan } from './views.ts';

const BillFields = z.object({
  bill_type: z.literal('trade'),
  bill_date: z.string().refine((day) => beijingDayPeriod(day) !== undefined, '须为yyyy-MM-dd'),
});

/** alipay.data.dataservice.bill.downloadurl.query: a link to a zip, good for 30 seconds. */
export function billLink(platform: Platform, { merchant, content }: Call): object {
  const { desk, bills } = platform;
  const { bill_date: day } = checked(BillFields, content);
  const period = beijingDayPeriod(day)!;
  const entries = desk.statements.entries('alipay', merchant.appId, period);
  if (!desk.statements.isMade(period) || entries.length === 0)
    throw new Refusal('40004', 'isp.bill_not_exist', '账单不存在');
  const token = bills.make(zipOf(merchant, day, entries));
  return { code: '10000', msg: 'Success', bill_download_url: `${desk.origin()}/alipay/bills/${token}` };
}

/** Details and sums, each a CSV file in GBK, as are their names. */
function zipOf({ sellerId }: KnownMerchant, day: string, entries: readonly StatementEntry[]): Uint8Array {
  const name = (kind: string) => gbk(`${sellerId}0156_${day.replaceAll('-', '')}_${kind}.csv`).toString('latin1');
  return zipSync({
    [name('业务明细')]: details(sellerId, day, entries),
    [name('业务明细(汇总)')]: sums(sellerId, day, entries),
  });
}

const COLUMNS =
  '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,' +
  '支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,' +
  '退款批次号/请求号,服务费（元）,分润（元）,备注';

const head = (sellerId: string, day: string, title: string): string[] => [
  `#支付宝${title}查询`,
  `#账号：[${sellerId}0156]`,
  `#起始日期：[${inWords(day)} 00:00:00]   终止日期：[${inWords(nextDay(day))} 00:00:00]`,
];

function details(sellerId: string, day: string, entries: readonly StatementEntry[]): Buffer {
  return file([
    ...head(sellerId, day, '业务明细'),
    '#-----------------------------------------业务明细列表----------------------------------------',
    COLUMNS,
    ...entries.map(row),
    '#-----------------------------------------业务明细列表结束------------------------------------',
    `#交易合计：${entries.filter(({ type }) => type === 'capture').length}笔`,
  ]);
}

function row(entry: StatementEntry): string {
  const { type, tradeNo, outTradeNo, outRefundNo, description, createdAt, at, amount } = entry;
  const sign = type === 'capture' ? '' : '-';
  const money = `${sign}${yuan(amount)}`;
  const place = ['\t', '\t', '\t', '\t', '***(buy***@sandbox.com)\t'];
  const discounts = ['0.00', '0.00', '0.00', '0.00', '0.00', '', '0.00\t', '0.00'];
  return [
    `${tradeNo}\t`,
    `${outTradeNo}\t`,
    type === 'capture' ? '交易\t' : '退款\t',
    description,
    beijingTime(createdAt),
    beijingTime(at),
    ...place,
    money,
    money,
    ...discounts,
    `${outRefundNo ?? ''}\t`,
    `${type === 'capture' ? '-' : ''}${yuan(share(amount, 60))}`,
    '0.00',
    '',
  ].join(',');
}

function sums(sellerId: string, day: string, entries: readonly StatementEntry[]): Buffer {
  const sum = (type: string) =>
    entries.filter((each) => each.type === type).reduce((all, { amount }) => all + amount, 0);
  return file([
    ...head(sellerId, day, '业务汇总'),
    '门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,退款金额（元）',
    `\t,合计,${entries.length},0,${yuan(sum('capture'))},${yuan(sum('refund'))}`,
  ]);
}

const file = (lines: readonly string[]): Buffer => gbk(lines.map((line) => `${line}\r\n`).join(''));
const inWords = (day: string): string => `${day.slice(0, 4)}年${day.slice(5, 7)}月${day.slice(8)}日`;
const nextDay = (day: string): string => beijingTime(beijingDayPeriod(day)!.to).slice(0, 10);
