import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { AttemptCall } from '../../activities/calls.ts';
import type { Deps } from '../../activities/index.ts';
import { paymentActivities } from '../../activities/payments.ts';
import type { PaymentFinding } from '../../domain/commands.ts';
import type { MerchantId, OrderId } from '../../domain/ids.ts';
import type { PaymentMethod } from '../../domain/method.ts';
import type { PaymentStatus } from '../../domain/order.ts';
import { ProviderError, type PaymentProvider, type PaymentReport } from '../../providers/provider.ts';

/** What is asked of providers that close, fail and pay each in its own way, answer by answer. */

const NOW = 1_700_000_000_000;
const money = { amount: 100, currency: 'CNY' };
const PAID = { state: 'paid', tradeNo: 'T', money, paidAt: NOW } as const;
const DECLINED = { state: 'failed', reason: 'declined', mayYetBePaid: true } as const;
const ONLY_HERE = { state: 'closed', mayYetBePaid: true };

type Script = { queries: PaymentReport[]; close?: PaymentReport | null; capture?: PaymentReport | ProviderError };

/** A provider that answers by a script. `asked`: what it was asked, in order. */
function scripted({ queries, close = null, capture }: Script) {
  const asked: string[] = [];
  const answers = [...queries];
  const provider: Partial<PaymentProvider> = {
    name: 'paypal',
    async query() {
      asked.push('query');
      return answers.shift()!;
    },
    async close() {
      asked.push('close');
      return close;
    },
    async capture() {
      asked.push('capture');
      if (capture instanceof ProviderError) throw capture;
      return capture!;
    },
  };
  const deps = { provider: async () => provider, now: () => NOW } as unknown as Deps;
  return { asked, activities: paymentActivities(deps) };
}

const call = (method: PaymentMethod): AttemptCall => ({
  order: 'ord_1' as OrderId,
  merchant: 'demo' as MerchantId,
  method,
  outTradeNo: '1',
  reference: null,
  startedAt: NOW - 60_000,
  expiresAt: NOW + 60_000,
  money,
});
const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
  const error: unknown = await promise.then(
    (value) => expect.unreachable(`did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApplicationFailure);
  return error as ApplicationFailure;
};

describe('closing', () => {
  const close = async (method: PaymentMethod, script: Script): Promise<[PaymentFinding, string[]]> => {
    const { asked, activities } = scripted(script);
    return [await activities.closeAttempt(call(method)), asked];
  };
  const pending = { state: 'pending' } as const;
  const unknown = { state: 'unknown' } as const;
  const closed = { state: 'closed' } as const;
  const all = ['query', 'close', 'query'];

  it.each<[PaymentMethod, PaymentReport[], PaymentReport | null, object, string[]]>([
    ['wechatpay.native', [pending, closed], null, closed, all],
    ['wechatpay.native', [unknown, unknown], null, closed, all],
    ['wechatpay.native', [pending, PAID], null, { state: 'paid', tradeNo: 'T', ...money, paidAt: NOW }, all],
    ['card.stripe', [DECLINED, closed], null, closed, all],
    ['alipay.qr', [unknown, unknown], null, ONLY_HERE, all],
    ['alipay.qr', [pending, closed], null, closed, all],
    ['alipay.barcode', [{ state: 'processing' }, closed], null, closed, all],
    ['alipay.barcode', [unknown, unknown], null, ONLY_HERE, all],
    ['unionpay.qr', [unknown], null, ONLY_HERE, ['query']],
    ['unionpay.qr', [pending], null, ONLY_HERE, ['query']],
    ['unionpay.qr', [DECLINED], null, ONLY_HERE, ['query']],
    ['unionpay.qr', [PAID], null, { state: 'paid', tradeNo: 'T', ...money, paidAt: NOW }, ['query']],
    ['paypal.checkout', [{ state: 'approved' }], null, ONLY_HERE, ['query']],
  ])('%s: %j', async (method, queries, told, finding, asked) => {
    expect(await close(method, { queries, close: told })).toEqual([finding, asked]);
  });

  it('a bar code whose money went back by it', async () => {
    const revoked = { state: 'revoked', tradeNo: 'T', money, paidAt: NOW, settledAt: NOW } as const;
    const finding = { state: 'revoked', tradeNo: 'T', ...money, paidAt: NOW, settledAt: NOW };
    expect(await close('alipay.barcode', { queries: [{ state: 'processing' }], close: revoked })).toEqual([
      finding,
      ['query', 'close'],
    ]);
    // The answer was lost: asking tells it, too.
    expect(await close('alipay.barcode', { queries: [revoked] })).toEqual([finding, ['query']]);
  });

  it.each<[PaymentMethod, PaymentReport[]]>([
    ['wechatpay.native', [pending, pending]],
    ['card.stripe', [DECLINED, DECLINED]],
    ['card.stripe', [{ state: 'processing' }, { state: 'processing' }]],
    ['unionpay.qr', [{ state: 'processing' }]],
    ['paypal.checkout', [{ state: 'processing' }]],
  ])('%s: what may still be paid, and could be closed or waited for, is no end: %j', async (method, queries) => {
    const { activities } = scripted({ queries });
    expect((await failureOf(activities.closeAttempt(call(method)))).type).toBe('try_again');
  });
});

describe('taking approved money', () => {
  const approved = { state: 'approved' } as const;
  const take = async (script: Script): Promise<[PaymentFinding, string[]]> => {
    const { asked, activities } = scripted(script);
    return [await activities.captureAttempt(call('paypal.checkout')), asked];
  };
  it('asks first: what was taken before is not taken again', async () => {
    expect(await take({ queries: [approved], capture: PAID })).toMatchObject([{ state: 'paid' }, ['query', 'capture']]);
    expect(await take({ queries: [PAID] })).toMatchObject([{ state: 'paid', tradeNo: 'T' }, ['query']]);
    expect(await take({ queries: [{ state: 'pending' }] })).toEqual([{ state: 'pending' }, ['query']]);
  });
  it('a definite no leaves the buyer another card', async () => {
    const capture = new ProviderError('refused', 'TRANSACTION_REFUSED', 'paypal capture: refused');
    expect((await take({ queries: [approved], capture }))[0]).toMatchObject({ state: 'failed', mayYetBePaid: true });
  });
  it.each([
    new ProviderError('unknown', 'timeout', 'paypal capture: no answer'),
    new ProviderError('busy', 'RATE_LIMIT_REACHED', 'paypal capture: later', { retryAfterMs: 7_000 }),
  ])('$outcome: is tried again', async (capture) => {
    const { activities } = scripted({ queries: [approved], capture });
    const failure = await failureOf(activities.captureAttempt(call('paypal.checkout')));
    expect(failure.nextRetryDelay).toBe(capture.retryAfterMs);
  });
});

describe('watching', () => {
  const watch = (known: PaymentStatus, answer: PaymentReport, until?: number) =>
    scripted({ queries: [answer] }).activities.watchAttempt({
      ...call('unionpay.qr'),
      known,
      ...(until !== undefined && { until }),
    });

  it.each<[PaymentStatus, PaymentReport]>([
    ['pending', { state: 'processing' }],
    ['pending', { state: 'approved' }],
    ['processing', { state: 'approved' }],
    ['pending', DECLINED],
    ['failed', { state: 'processing' }],
    ['failed', { state: 'failed', reason: 'declined for good' }],
    ['closed', { state: 'closed' }],
  ])('%s: %j is news', async (known, answer) => {
    expect(await watch(known, answer, NOW + 1000)).toEqual(answer);
  });
  it.each<[PaymentStatus, PaymentReport]>([
    ['pending', { state: 'pending' }],
    ['pending', { state: 'unknown' }],
    ['processing', { state: 'processing' }],
    ['failed', DECLINED],
    ['failed', { state: 'approved' }],
    ['closed', { state: 'pending' }],
    ['closed', { state: 'processing' }],
    ['closed', { state: 'approved' }],
    ['closed', DECLINED],
  ])('%s: %j is none', async (known, answer) => {
    await failureOf(watch(known, answer));
  });
  it('asks at the very end, and then no more', async () => {
    expect((await failureOf(watch('closed', { state: 'pending' }, NOW + 1000))).nextRetryDelay).toBe(1000);
    for (const answer of [{ state: 'pending' }, { state: 'unknown' }, DECLINED] as const)
      expect(await watch('closed', answer, NOW)).toEqual({ state: 'closed' });
    expect(await watch('closed', PAID, NOW)).toMatchObject({ state: 'paid' });
    // Money under way is waited for.
    await failureOf(watch('closed', { state: 'processing' }, NOW));
  });
});
