import { z } from 'zod';
import { Refusal } from './refusal.ts';
import { instantOf } from './time.ts';

const LARGEST_FEN = 10_000_000_000;

/** At most so many characters (not UTF-16 units). */
function text(longest: number) {
  return z.string().refine((value) => Array.from(value).length <= longest, `长度超过${longest}`);
}

/** Yuan, from 0.01 to 100000000.00, as text or number; in fen. */
const amount = z
  .union([z.string(), z.number()])
  .refine((value) => /^(0|[1-9]\d{0,8})(\.\d{1,2})?$/.test(String(value)), '金额格式错误')
  .transform((value) => fenOf(String(value)))
  .refine((fen) => fen >= 1 && fen <= LARGEST_FEN, '金额超出范围');

function fenOf(yuan: string): number {
  const [whole = '', cents = ''] = yuan.split('.');
  return Number(whole) * 100 + Number(cents.padEnd(2, '0'));
}

/** The documents say letters, digits and _; numbers with - are taken too. */
const outTradeNo = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, '须为1到64位的数字、字母、_-');
const tradeNo = z.string().min(1).max(64);

/** What every way to pay has in common (providers.md 1.5). Fields that are not listed are ignored, as the real one does. */
const TradeFields = z.object({
  out_trade_no: outTradeNo,
  total_amount: amount,
  subject: text(256).min(1),
  body: text(128).optional(),
  product_code: z.string().max(64).optional(),
  time_expire: z
    .string()
    .refine((value) => instantOf(value) !== undefined, '须为yyyy-MM-dd HH:mm:ss')
    .optional(),
  timeout_express: z
    .string()
    .regex(/^([1-9]\d{0,4}[mhd]|1c)$/)
    .optional(),
  passback_params: text(512).optional(),
});

const PAGE_CODES = ['FAST_INSTANT_TRADE_PAY'] as const;
/** Some libraries send the second, and the real one takes it. */
const WAP_CODES = ['QUICK_WAP_WAY', 'QUICK_WAP_PAY'] as const;
const QR_CODES = ['QR_CODE_OFFLINE', 'FACE_TO_FACE_PAYMENT'] as const;

export const PageFields = TradeFields.extend({ product_code: z.enum(PAGE_CODES) });
export const WapFields = TradeFields.extend({ product_code: z.enum(WAP_CODES), quit_url: z.url().optional() });
export const PrecreateFields = TradeFields.extend({ product_code: z.enum(QR_CODES).optional() });
export const PayFields = TradeFields.extend({
  auth_code: z.string().min(1).max(64),
  scene: z.literal('bar_code').default('bar_code'),
});

export type TradeWish = z.infer<typeof TradeFields>;

/** By one number or the other; Alipay's own wins. */
export const NumberFields = z
  .object({ out_trade_no: outTradeNo.optional(), trade_no: tradeNo.optional() })
  .refine((value) => value.out_trade_no !== undefined || value.trade_no !== undefined, {
    path: ['out_trade_no'],
    message: '订单号不能为空',
  });

export type Numbers = z.infer<typeof NumberFields>;

const outRequestNo = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, '须为1到64位的数字、字母、_-');

export const RefundFields = NumberFields.safeExtend({
  refund_amount: amount,
  out_request_no: outRequestNo.optional(),
  refund_reason: text(256).optional(),
});

export type RefundWish = z.infer<typeof RefundFields>;

export const RefundQueryFields = NumberFields.safeExtend({
  out_request_no: outRequestNo,
  query_options: z.array(z.string()).optional(),
});

/** The checked content, or a refusal about the first field that is wrong. */
export function checked<T>(schema: z.ZodType<T>, content: unknown): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  const message = `参数有误 ${field}: ${issue?.message ?? ''}`;
  throw new Refusal('40004', 'ACQ.INVALID_PARAMETER', message);
}
