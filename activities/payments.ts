import { findBuyer } from '../db/buyers.ts';
import type { PaymentFinding } from '../domain/commands.ts';
import { providerOf } from '../domain/method.ts';
import type { Attempt, PaymentProvider, PaymentRef, PaymentReport } from '../providers/provider.ts';
import type { AttemptCall, OpenCall, Opened, WatchCall } from './calls.ts';
import { calling, isRefused, tryAgain } from './failure.ts';
import type { Deps } from './index.ts';

/** Calls about one attempt. Every one may be repeated and then means the same. */
export function paymentActivities(deps: Deps) {
  const providerFor = ({ merchant, method }: AttemptCall) => deps.provider(merchant, providerOf(method));
  return {
    async openAttempt(call: OpenCall): Promise<Opened> {
      const provider = await providerFor(call);
      try {
        const { action, reference, report } = await provider.open(await attemptOf(deps, call));
        return { action, reference, ...(report && { finding: findingOf(report) }) };
      } catch (error) {
        if (isRefused(error)) return { refused: `${error.code}: ${error.message}` };
        return calling(() => Promise.reject(error as Error));
      }
    },

    /** Asks until the provider says something that the order doesn't know. */
    async watchAttempt(call: WatchCall): Promise<PaymentFinding> {
      const provider = await providerFor(call);
      const pause = pauseBetweenAskings(deps.now() - call.startedAt);
      const finding = findingOf(await provider.query(refOf(call)).catch((error: unknown) => notYet(error, pause)));
      if (finding.state === 'pending' || (finding.state === 'processing' && call.known === 'processing'))
        throw tryAgain('not paid yet', pause);
      return finding;
    },

    /** Asks, closes, asks again: only then is an attempt closed (rule 5). A provider that is away is tried for ever. */
    closeAttempt: (call: AttemptCall): Promise<PaymentFinding> =>
      calling(async () => {
        const provider = await providerFor(call);
        const payment = refOf(call);
        const before = findingOf(await provider.query(payment));
        if (before.state === 'paid' || before.state === 'closed') return before;
        await provider.close(payment);
        return afterClosing(await provider.query(payment));
      }),
  };
}

async function attemptOf(deps: Deps, call: OpenCall): Promise<Attempt> {
  const { method, outTradeNo, order: orderId, money, title: description, startedAt, expiresAt } = call;
  const buyer = await findBuyer(deps.db, deps.sealer, call.buyer);
  const notifyUrl = deps.notifyUrl(providerOf(method), call.merchant);
  const formUrl = deps.formUrl(providerOf(method), call.merchant);
  const returnUrl = buyer.return_url ?? deps.returnUrl(orderId);
  return {
    method,
    outTradeNo,
    orderId,
    money,
    description,
    startedAt,
    expiresAt,
    notifyUrl,
    formUrl,
    returnUrl,
    buyer,
  };
}

const refOf = ({ method, order, outTradeNo, reference, startedAt, expiresAt, money }: AttemptCall): PaymentRef => ({
  method,
  orderId: order,
  outTradeNo,
  reference,
  startedAt,
  expiresAt,
  money,
});

const notYet = (error: unknown, pause: number): never => {
  throw tryAgain(error instanceof Error ? error.message : String(error), pause);
};

/** Rule 6: an open attempt is asked about at the latest a minute, or a tenth of its age, after it was paid. */
export const pauseBetweenAskings = (ageMs: number): number => Math.max(45_000, ageMs * 0.08);

function afterClosing(report: PaymentReport): PaymentFinding {
  const finding = findingOf(report);
  // Never heard of: nobody can pay it, because nobody was ever shown anything.
  if (report.state === 'unknown') return { state: 'closed' };
  if (finding.state === 'pending' || finding.state === 'processing')
    throw tryAgain('closed, but the provider still says it is open');
  return finding;
}

function findingOf(report: PaymentReport): PaymentFinding {
  switch (report.state) {
    case 'paid':
      return { state: 'paid', tradeNo: report.tradeNo, ...report.money, paidAt: report.paidAt };
    case 'unknown':
      return { state: 'pending' };
    case 'approved':
      return { state: 'processing' };
    case 'failed':
      return { state: 'failed', reason: report.reason };
    case 'revoked':
      return { state: 'closed' };
    case 'pending':
    case 'processing':
    case 'closed':
      return report;
  }
}
export const paymentFindingOf = findingOf;

export type ProviderFor = (merchant: string, name: PaymentProvider['name']) => Promise<PaymentProvider>;
