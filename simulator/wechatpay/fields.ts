import { z } from 'zod';
import { wrongField } from './refusal.ts';

/** The largest amount that the product's contract knows; far above what the real platform takes. */
const LARGEST_AMOUNT = 99_999_999_999;

/** At most so many characters (not UTF-16 units). */
function text(longest: number) {
  return z.string().refine((value) => Array.from(value).length <= longest, `字符串长度超过${longest}`);
}

const currency = z.literal('CNY', '目前只支持CNY').default('CNY');
const amount = z.int().min(1).max(LARGEST_AMOUNT);
const outTradeNo = z.string().regex(/^[0-9A-Za-z_\-|*]{6,32}$/, '须为6到32位的数字、字母、_-|*');

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const time = z
  .string()
  .refine((value) => RFC3339.test(value) && !Number.isNaN(Date.parse(value)), '须遵循rfc3339标准格式');

/** https, without query and fragment; http for this machine only, and only where that is allowed. */
function notifyUrl(longest: number, mayBeLocalHttp: boolean) {
  return z.string().refine((value) => {
    if (value.length > longest || !URL.canParse(value) || /[?#\s]/.test(value)) return false;
    const { protocol, hostname } = new URL(value);
    return protocol === 'https:' || (protocol === 'http:' && mayBeLocalHttp && isLoopback(hostname));
  }, `须为不超过${longest}个字符的https地址，不可携带参数`);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** What every way to pay has in common (providers.md 2.5). Fields that are not listed are ignored, as the real one does. */
export function transactionFields(mayBeLocalHttp: boolean) {
  return z.object({
    appid: z.string().min(1).max(32),
    mchid: z.string().min(1).max(32),
    description: text(127).min(1),
    out_trade_no: outTradeNo,
    time_expire: time.optional(),
    attach: text(128).optional(),
    notify_url: notifyUrl(255, mayBeLocalHttp),
    goods_tag: text(32).optional(),
    amount: z.object({ total: amount, currency }),
  });
}

export type TransactionFields = z.infer<ReturnType<typeof transactionFields>>;

/** In an official account's page or a mini-program the merchant says who pays. */
export const jsapiFields = (mayBeLocalHttp: boolean) =>
  transactionFields(mayBeLocalHttp).extend({ payer: z.object({ openid: z.string().min(1).max(128) }) });

/** From another browser on the phone the merchant says where that is. */
export const h5Fields = (mayBeLocalHttp: boolean) =>
  transactionFields(mayBeLocalHttp).extend({
    scene_info: z.object({
      payer_client_ip: z.union([z.ipv4(), z.ipv6()], '须为IP地址'),
      h5_info: z.object({ type: z.enum(['iOS', 'Android', 'Wap']) }),
    }),
  });

/** Closing says only whose payment it is; its number is in the path. */
export const CloseFields = z.object({ mchid: z.string().min(1).max(32) });

/** providers.md 2.8. */
export function refundFields(mayBeLocalHttp: boolean) {
  return z
    .object({
      transaction_id: z.string().min(1).max(32).optional(),
      out_trade_no: outTradeNo.optional(),
      out_refund_no: z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/, '须为1到64位的数字、字母、_-|*@'),
      reason: text(80).optional(),
      notify_url: notifyUrl(256, mayBeLocalHttp).optional(),
      funds_account: z.enum(['AVAILABLE', 'UNSETTLED']).optional(),
      amount: z.object({ refund: amount, total: amount, currency: z.literal('CNY', '目前只支持CNY') }),
    })
    .refine((value) => Boolean(value.transaction_id) !== Boolean(value.out_trade_no), {
      path: ['transaction_id'],
      message: 'transaction_id和out_trade_no须二选一',
    });
}

export type RefundFields = z.infer<ReturnType<typeof refundFields>>;

/** The checked body, or PARAM_ERROR about the first field that is wrong. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String) ?? [];
  throw wrongField('body', path.join('/'), valueAt(body, path) ?? null, issue?.message ?? '');
}

function valueAt(body: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], body);
}
