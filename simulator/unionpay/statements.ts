import { deflateSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { beijingDayPeriod, share, type Period, type StatementEntry } from '../statements.ts';
import { checked, FileFields } from './fields.ts';
import type { Message } from './message.ts';
import type { Call, Platform } from './platform.ts';
import { Refusal, wrongFormat } from './refusal.ts';
import { compactTime } from './time.ts';

const HOUR_MS = 3600 * 1000;

/** Txn 76/01: the file of a settlement day, which ends at 23:00. */
export function transferFile({ desk }: Platform, { merchant: { merId }, message }: Call): Message {
  const { settleDate } = checked(FileFields, message);
  const day = dayNear(desk.now(), settleDate);
  const period = day === undefined ? undefined : shifted(beijingDayPeriod(day)!, -HOUR_MS);
  if (!day || !period) throw wrongFormat('settleDate', '须为MMDD');
  const entries = desk.statements.entries('unionpay', merId, period);
  if (!desk.statements.isMade(period) || entries.length === 0) throw new Refusal('98', '文件不存在[9800000]');
  const name = `${compactTime(period.to).slice(2, 8)}88`;
  const zip = zipSync({
    [`INN${name}ZM_${merId}`]: Buffer.from(entries.map((entry) => `${lineOf(merId, entry)}\r\n`).join('')),
    [`INN${name}ZME_${merId}`]: Buffer.alloc(0),
  });
  return {
    settleDate,
    fileType: '00',
    fileName: `${merId}_${day.replaceAll('-', '')}_${compactTime(desk.now()).slice(8)}.zip`,
    fileContent: deflateSync(zip).toString('base64'),
  };
}

const shifted = ({ from, to }: Period, byMs: number): Period => ({ from: from + byMs, to: to + byMs });

/** A day without its year is the one nearest to now; undefined for what is no day. */
function dayNear(now: number, monthAndDay: string): string | undefined {
  const year = Number(compactTime(now).slice(0, 4));
  const days = [year - 1, year, year + 1]
    .map((each) => `${each}-${monthAndDay.slice(0, 2)}-${monthAndDay.slice(2)}`)
    .filter((day) => beijingDayPeriod(day));
  const distance = (day: string) => Math.abs(beijingDayPeriod(day)!.from - now);
  return days.sort((a, b) => distance(a) - distance(b))[0];
}

type Column = [width: number, value: string];

/** ZM, edition of UnionPay's file specification that its samples read: 42 columns of fixed width, a blank between two. */
function lineOf(merId: string, entry: StatementEntry): string {
  const { type, tradeNo, outTradeNo, outRefundNo, refundTradeNo, amount, at } = entry;
  const isRefund = type === 'refund';
  const time = compactTime(at);
  const fee = share(amount, 60);
  const columns: Column[] = [
    [3, isRefund ? 'S30' : 'S22'],
    [11, '00049992'],
    [11, '00049992'],
    [6, time.slice(8)],
    [10, time.slice(4)],
    [19, '622848******0048'],
    [12, padded(amount)],
    [4, '5999'],
    [2, '07'],
    [21, refundTradeNo ?? tradeNo],
    [2, ''],
    [32, outRefundNo ?? outTradeNo],
    [2, '01'],
    [6, ''],
    [10, ''],
    [13, `${isRefund ? 'C' : 'D'}${padded(fee)}`],
    [13, `${isRefund ? 'D' : 'C'}${padded(amount - fee)}`],
    [4, ''],
    [15, ''],
    [2, isRefund ? '04' : '01'],
    [2, isRefund ? '00' : '01'],
    [6, '000201'],
    [2, '01'],
    [4, ''],
    [32, ''],
    [1, '0'],
    [21, isRefund ? tradeNo : ''],
    [15, merId],
    [1, ''],
    [15, ''],
    [32, ''],
    [13, ''],
    [13, `${isRefund ? 'D' : 'C'}${padded(amount - fee)}`],
    [8, ''],
    [32, ''],
    [13, ''],
    [13, ''],
    [12, ''],
    [2, ''],
    [1, ''],
    [32, isRefund ? outTradeNo : ''],
    [98, ''],
  ];
  return columns.map(([width, value]) => value.slice(0, width).padEnd(width)).join(' ');
}

const padded = (fen: number): string => String(fen).padStart(12, '0');
