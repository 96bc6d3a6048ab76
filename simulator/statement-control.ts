import { z } from 'zod';
import type { Desk } from './provider.ts';

const amount = z.int().min(1).max(99_999_999_999);
const number = z.string().min(1).max(128);

/** What of the statements is to be found: see `POST /_control/statements` in docs/reconciliation.md. */
export const StatementFields = z.strictObject({
  early: z.boolean().optional(),
  missing: z.array(number).optional(),
  different: z.array(z.strictObject({ number, amount })).optional(),
  extra: z
    .array(
      z.strictObject({
        provider: z.enum(['wechatpay', 'alipay', 'unionpay', 'stripe', 'paypal']),
        merchant: z.string().optional(),
        out_trade_no: number,
        amount,
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/)
          .optional(),
        at: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .optional(),
});

/** @returns whom nobody knows; null: all was done. Without `merchant` an extra payment is for whoever was paid last. */
export function changeStatements(desk: Desk, wish: z.infer<typeof StatementFields>): string | null {
  const { extra = [], ...changes } = wish;
  const known = extra.map((each) => ({
    ...each,
    merchant: each.merchant ?? desk.books.payments().findLast(({ provider }) => provider === each.provider)?.merchant,
  }));
  for (const { provider, merchant } of known)
    if (merchant === undefined) return `${provider} has no payments yet: name the merchant`;
  desk.statements.change(changes);
  for (const { provider, merchant = '', out_trade_no: outTradeNo, amount: paid, currency, at } of known)
    desk.statements.add(provider, merchant, {
      outTradeNo,
      amount: paid,
      currency: currency ?? (provider === 'stripe' || provider === 'paypal' ? 'USD' : 'CNY'),
      at: at === undefined ? desk.now() : Date.parse(at),
    });
  return null;
}
