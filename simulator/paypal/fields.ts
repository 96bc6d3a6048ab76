import { z } from 'zod';
import { invalid } from './refusal.ts';

const amount = z.object({ currency_code: z.string().length(3), value: z.string().max(32) });
const webUrl = z.url({ protocol: /^https?$/ }).max(4000);

const context = z.object({
  return_url: webUrl.optional(),
  cancel_url: webUrl.optional(),
  user_action: z.enum(['CONTINUE', 'PAY_NOW']).optional(),
  shipping_preference: z.enum(['GET_FROM_FILE', 'NO_SHIPPING', 'SET_PROVIDED_ADDRESS']).optional(),
  payment_method_preference: z.enum(['UNRESTRICTED', 'IMMEDIATE_PAYMENT_REQUIRED']).optional(),
  brand_name: z.string().min(1).max(127).optional(),
  locale: z.string().min(2).max(10).optional(),
});

/** providers.md 5.2; one unit only. Fields that are not listed are ignored. */
export const OrderFields = z.object({
  intent: z.literal('CAPTURE'),
  purchase_units: z
    .array(
      z.object({
        reference_id: z.string().min(1).max(256).default('default'),
        custom_id: z.string().min(1).max(127).optional(),
        invoice_id: z.string().min(1).max(127).optional(),
        description: z.string().min(1).max(127).optional(),
        amount: amount.extend({ breakdown: z.object({ item_total: amount.optional() }).optional() }),
      }),
    )
    .length(1),
  payment_source: z.object({ paypal: z.object({ experience_context: context.optional() }) }).optional(),
  application_context: context.optional(),
});
export type OrderFields = z.infer<typeof OrderFields>;

/** providers.md 5.3; without an amount, all that is left. */
export const RefundFields = z.object({
  amount: amount.optional(),
  custom_id: z.string().min(1).max(127).optional(),
  invoice_id: z.string().min(1).max(127).optional(),
  note_to_payer: z.string().min(1).max(255).optional(),
});
export type RefundFields = z.infer<typeof RefundFields>;

/** The checked body, or INVALID_REQUEST about the first field that is wrong. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw invalid(issueOf(issue, body), `/${issue.path.map(String).join('/')}`, issue.message);
}

function issueOf(issue: z.core.$ZodIssue, body: unknown): string {
  const given = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
  if (given === undefined) return 'MISSING_REQUIRED_PARAMETER';
  if (issue.code === 'too_big' || issue.code === 'too_small') return 'INVALID_STRING_LENGTH';
  return issue.code === 'invalid_format' ? 'INVALID_PARAMETER_SYNTAX' : 'INVALID_PARAMETER_VALUE';
}
