import { z } from 'zod';
import type { Message } from './message.ts';
import { missingField, wrongFormat } from './refusal.ts';
import { compactInstant } from './time.ts';

const orderId = z.string().regex(/^[0-9A-Za-z]{8,40}$/, '须为8到40位的数字、字母');
const time = z.string().refine((value) => compactInstant(value) !== undefined, '须为yyyyMMddHHmmss');
const amount = z.string().regex(/^[1-9]\d{0,11}$/, '须为以分为单位的正整数');
/** Separators of the message itself can't be told from content (providers.md 3.4). */
const free = (longest: number) =>
  z
    .string()
    .refine(
      (value) => Array.from(value).length <= longest && !/[&={}[\]]/.test(value),
      `不可超过${longest}个字符或含报文分隔符`,
    );

/** https; http for this machine only, and only where that is allowed. */
const url = (mayBeLocalHttp: boolean) =>
  z.string().refine((value) => {
    if (value.length > 256 || !URL.canParse(value)) return false;
    const { protocol, hostname } = new URL(value);
    return protocol === 'https:' || (protocol === 'http:' && mayBeLocalHttp && isLoopback(hostname));
  }, '须为不超过256个字符的https地址');

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

const common = {
  version: z.literal('5.1.0'),
  encoding: z.literal('UTF-8'),
  signMethod: z.literal('01'),
  accessType: z.literal('0'),
  merId: z.string(),
  orderId,
  txnTime: time,
};

const payment = (mayBeLocalHttp: boolean) => ({
  ...common,
  txnType: z.literal('01'),
  txnAmt: amount,
  currencyCode: z.literal('156'),
  backUrl: url(mayBeLocalHttp),
  payTimeout: time.optional(),
  orderDesc: free(32).optional(),
  reqReserved: free(1024).optional(),
});

/** What a browser posts to frontTransReq.do. */
export const frontFields = (mayBeLocalHttp: boolean) =>
  z.object({
    ...payment(mayBeLocalHttp),
    txnSubType: z.literal('01'),
    bizType: z.literal('000201'),
    channelType: z.enum(['07', '08']),
    frontUrl: url(mayBeLocalHttp),
  });

/** A code that the buyer scans. */
export const qrFields = (mayBeLocalHttp: boolean) =>
  z.object({
    ...payment(mayBeLocalHttp),
    txnSubType: z.literal('07'),
    bizType: z.literal('000000'),
    channelType: z.literal('08'),
  });

export const refundFields = (mayBeLocalHttp: boolean) =>
  z.object({
    ...common,
    txnType: z.literal('04'),
    txnSubType: z.literal('00'),
    bizType: z.enum(['000000', '000201']),
    channelType: z.enum(['07', '08']),
    origQryId: z.string().regex(/^\d{21}$/, '须为21位数字'),
    txnAmt: amount,
    backUrl: url(mayBeLocalHttp),
    reqReserved: free(1024).optional(),
  });

export const QueryFields = z.object({
  ...common,
  txnType: z.literal('00'),
  txnSubType: z.literal('00'),
  bizType: z.enum(['000000', '000201']),
});

/** The file of a settlement day; there is no order to name. */
export const FileFields = z.object({
  version: z.literal('5.1.0'),
  encoding: z.literal('UTF-8'),
  signMethod: z.literal('01'),
  accessType: z.literal('0'),
  merId: z.string(),
  txnTime: time,
  txnType: z.literal('76'),
  txnSubType: z.literal('01'),
  bizType: z.literal('000000'),
  fileType: z.literal('00'),
  settleDate: z.string().regex(/^\d{4}$/, '须为MMDD'),
});

/** What both ways to pay have in common. */
export type PaymentWish = {
  orderId: string;
  txnTime: string;
  txnSubType: '01' | '07';
  bizType: string;
  txnAmt: string;
  backUrl: string;
  frontUrl?: string | undefined;
  payTimeout?: string | undefined;
  orderDesc?: string | undefined;
  reqReserved?: string | undefined;
};
export type RefundWish = z.infer<ReturnType<typeof refundFields>>;

/** The checked fields; blank ones count as absent. Throws 13 or 10 about the first that is missing or wrong. */
export function checked<T>(schema: z.ZodType<T>, message: Message): T {
  const given = Object.fromEntries(Object.entries(message).filter(([, value]) => value.trim() !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const { path, message: issue } = result.error.issues[0]!;
  const field = String(path[0]);
  throw field in given ? wrongFormat(field, issue) : missingField(field);
}
