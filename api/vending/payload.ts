import { z } from 'zod';
import { LIMITS } from '../../domain/limits.ts';
import { METHODS, methodTerms, type PaymentMethod } from '../../domain/method.ts';
import { isStorable } from '../body.ts';
import { fenOf } from '../yuan.ts';
import { quantity, seconds, text } from '../fields.ts';
import { VendingFailure } from './failures.ts';

/** What a vending client sends: `{"payload": base64(JSON)}`, and what stands in that JSON (contract, section 3; seed 002). */

const TRADE_ID_LENGTH = 64;
/** How far a client's clock may be off. */
const CLOCK_SECONDS = 300;

const Query = z.object({
  machine_no: z.string().regex(/^\d{8}$/),
  timestamp: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
});

/** A client of this kind knows nothing of its buyer but the bar code. */
const PAY_METHODS = (Object.keys(METHODS) as PaymentMethod[]).filter((method) =>
  methodTerms(method).needs.every((field) => field === 'auth_code'),
);

const Ordering = Query.extend({
  trade_id: text(TRADE_ID_LENGTH).refine(isStorable),
  products: z
    .array(
      z.object({ product_id: z.int().min(1), quantity: quantity(), price: z.string().transform(fenOf).pipe(z.int()) }),
    )
    .min(1)
    .max(LIMITS.items),
  pay_method: z.enum(PAY_METHODS).nullish(),
  auth_code: z
    .string()
    .regex(/^\d{10,32}$/)
    .nullish(),
  pickup_code: z.boolean().nullish(),
  test: z.boolean().nullish(),
  expires_in: seconds(1, LIMITS.expiresInSeconds).nullish(),
}).refine(
  ({ pay_method, auth_code }) => !pay_method || !methodTerms(pay_method).needs.includes('auth_code') || auth_code,
);

/** `price`: of the line, in fen; `timestamp`: Unix seconds. */
export type OrderingPayload = z.infer<typeof Ordering>;
export type QueryPayload = z.infer<typeof Query>;

/** @throws VendingFailure invalid */
export const readOrdering = (body: Uint8Array): OrderingPayload => read(Ordering, body);
/** @throws VendingFailure invalid */
export const readQuery = (body: Uint8Array): QueryPayload => read(Query, body);

function read<S extends z.ZodType>(schema: S, body: Uint8Array): z.infer<S> {
  const parsed = schema.safeParse(decode(body));
  if (!parsed.success) throw new VendingFailure('invalid');
  return parsed.data;
}

const Envelope = z.object({ payload: z.string().min(1) });

function decode(body: Uint8Array): unknown {
  const envelope = Envelope.safeParse(parse(body));
  if (!envelope.success) throw new VendingFailure('invalid');
  const { payload } = envelope.data;
  const bytes = Buffer.from(payload, 'base64');
  // Node.js skips what is no base64.
  if (bytes.toString('base64') !== payload) throw new VendingFailure('invalid');
  return parse(bytes);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new VendingFailure('invalid');
  }
}

/** @param now epoch milliseconds. @throws VendingFailure untimely */
export function checkTime({ timestamp }: QueryPayload, now: number): void {
  if (Math.abs(Math.floor(now / 1000) - timestamp) > CLOCK_SECONDS) throw new VendingFailure('untimely');
}
