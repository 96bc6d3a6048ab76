import { describe, expect, it } from 'vitest';
import type { OrderBody, Payment } from '../../pages/api.ts';
import { openPayments, outcomesOf } from '../../pages/checkout/outcome.ts';

/** An order that waits at WeChat Pay and Alipay under its own number, whoever opens it there. */
const NOW = Date.parse('2026-01-01T00:00:00Z');
const ACTION = { type: 'qr', content: 'weixin://1' } as const;
const attempt = (id: string, change: Partial<Payment> = {}): Payment =>
  ({ id, status: 'pending', action: null, out_trade_no: '5-2-6d2d', ...change }) as Payment;
const order = (...payments: Payment[]): OrderBody =>
  ({
    status: 'pending_payment',
    merchant_order_no: '5-2-6d2d',
    expires_at: '2026-01-01T02:00:00Z',
    refund_status: 'none',
    refunds: [],
    payments,
  }) as unknown as OrderBody;
const outcome = (...payments: Payment[]) => outcomesOf(order(...payments), NOW)[0];

describe('the checkout of an order that waits at two providers', () => {
  it('offers its methods until one is chosen', () =>
    expect(outcome(attempt('1'), attempt('2'))).toEqual({ type: 'to_pay' }));

  it('shows what was chosen, also both', () => {
    const [chosen, other] = [attempt('1', { action: ACTION }), attempt('2', { action: ACTION })];
    expect(outcome(chosen, attempt('2'))).toEqual({ type: 'attempt', payment: chosen });
    expect(openPayments(order(chosen, attempt('2')))).toEqual([chosen]);
    expect(openPayments(order(chosen, other))).toEqual([chosen, other]);
  });

  it('says that one failed, although another one waits', () =>
    expect(outcome(attempt('1', { status: 'failed' }), attempt('2'))).toMatchObject({ type: 'payment_failed' }));

  it('shows any other attempt that is being opened', () =>
    expect(outcome(attempt('1', { out_trade_no: 'x' }))).toMatchObject({ type: 'attempt' }));
});
