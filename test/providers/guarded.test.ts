import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { guarded, newBreaker, providerCalls } from '../../providers/guarded.ts';
import { ProviderError, type PaymentProvider, type PaymentRef } from '../../providers/provider.ts';

const TIMEOUT = new ProviderError('unknown', 'timeout', 'alipay query: no answer in time');
const UNREACHABLE = new ProviderError('busy', 'unreachable', 'alipay query: not reachable');
const payment = {} as PaymentRef;
let calls: number;
let outcome: Error | null;
const bare = {
  name: 'alipay',
  async query() {
    calls++;
    if (outcome) throw outcome;
    return { state: 'pending' };
  },
  isOurs: () => true,
} as unknown as PaymentProvider;

beforeEach(() => {
  vi.useFakeTimers();
  [calls, outcome] = [0, TIMEOUT];
  providerCalls.reset();
});
afterEach(() => void vi.useRealTimers());

const ask = (provider: PaymentProvider): Promise<unknown> =>
  provider.query(payment).catch((error: ProviderError) => `${error.outcome} ${error.code}`);
async function asks(provider: PaymentProvider, times: number): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let n = 0; n < times; n++) answers.push(await ask(provider));
  return answers;
}

describe('a provider that is dead', () => {
  it.each([TIMEOUT, UNREACHABLE])('$code: is left alone after five calls, told to be tried again', async (error) => {
    outcome = error;
    const provider = guarded(bare, newBreaker());
    expect((await asks(provider, 8)).slice(4)).toEqual([
      `${error.outcome} ${error.code}`,
      ...Array<string>(3).fill('busy circuit_open'),
    ]);
    expect(calls).toBe(5);
    await expect(provider.query(payment)).rejects.toMatchObject({ retryAfterMs: 5_000 });
  });
  it('is tried once after a while, and called again once it answers', async () => {
    const provider = guarded(bare, newBreaker());
    await asks(provider, 6);
    vi.advanceTimersByTime(5_000);
    expect(await asks(provider, 2)).toEqual(['unknown timeout', 'busy circuit_open']);
    expect(calls).toBe(6);
    vi.advanceTimersByTime(5_000);
    outcome = null;
    expect(await asks(provider, 2)).toEqual([{ state: 'pending' }, { state: 'pending' }]);
  });
  it('does not take another account with it; is not alive because its account was read anew', async () => {
    const breaker = newBreaker();
    await asks(guarded(bare, breaker), 5);
    expect(await ask(guarded(bare, breaker))).toBe('busy circuit_open');
    expect(await ask(guarded(bare, newBreaker()))).toBe('unknown timeout');
  });
});

it.each(['refused', 'busy'] as const)('%s is an answer', async (said) => {
  outcome = new ProviderError(said, 'CODE', 'alipay query: CODE');
  await asks(guarded(bare, newBreaker()), 20);
  expect(calls).toBe(20);
});

it('every call is measured, with what came of it', async () => {
  const provider = guarded(bare, newBreaker());
  await asks(provider, 6);
  outcome = null;
  await ask(guarded(bare, newBreaker()));
  const { values } = await providerCalls.get();
  const counts = values.filter(({ metricName }) => metricName?.endsWith('_count'));
  expect(counts.map(({ labels, value }) => [labels.provider, labels.operation, labels.outcome, value])).toEqual([
    ['alipay', 'query', 'unknown', 5],
    ['alipay', 'query', 'open', 1],
    ['alipay', 'query', 'ok', 1],
  ]);
});

it('what asks nobody stays as it is', () => {
  expect(guarded(bare, newBreaker()).isOurs({ merchantNo: '1', appId: null })).toBe(true);
  expect('capture' in guarded(bare, newBreaker())).toBe(false);
});
