import { findBuyer } from '../db/buyers.ts';
import type { PaymentFinding } from '../domain/commands.ts';
import { withoutToken } from '../domain/hidden-token.ts';
import { methodTerms, providerOf, type MethodTerms } from '../domain/method.ts';
import type { PaymentStatus } from '../domain/order.ts';
import {
  isRefusal,
  type Attempt,
  type PaymentProvider,
  type PaymentRef,
  type PaymentReport,
} from '../providers/provider.ts';
import type { AttemptCall, ConfirmCall, OpenCall, Opened, WatchCall } from './calls.ts';
import { asFailure, calling, tryAgain } from './failure.ts';
import type { Deps } from './index.ts';

/** Calls about one attempt. Every one may be repeated and then means the same. */
export function paymentActivities(deps: Deps) {
  const providerFor = ({ merchant, method }: AttemptCall) => deps.provider(merchant, providerOf(method));
  return {
    async openAttempt(call: OpenCall): Promise<Opened> {
      const provider = await providerFor(call);
      try {
        const { action, reference, report } = await provider.open(await attemptOf(deps, call));
        return { action: withoutToken(action), reference, ...(report && { finding: findingOf(report) }) };
      } catch (error) {
        if (isRefusal(error)) return { refused: `${error.code}: ${error.message}` };
        throw asFailure(error);
      }
    },

    /** Asks until the provider says something that the order doesn't know, or until the attempt is watched no more. */
    async watchAttempt(call: WatchCall): Promise<PaymentFinding> {
      const provider = await providerFor(call);
      const now = deps.now();
      const left = (call.until ?? Infinity) - now;
      const pause = Math.min(pauseBetweenAskings(now - call.startedAt), left > 0 ? left : Infinity);
      const finding = findingOf(await provider.query(refOf(call)).catch((error: unknown) => notYet(error, pause)));
      if (isNews(call.known, finding)) return finding;
      if (left > 0) throw tryAgain('not paid yet', pause);
      if (finding.state === 'processing') throw tryAgain('money is still under way', pause);
      return { state: 'closed' };
    },

    /** Takes money that the buyer approved. Asks first: an earlier call may have come through (rule 7). */
    captureAttempt: (call: AttemptCall): Promise<PaymentFinding> =>
      calling(async () => {
        const provider = await providerFor(call);
        const payment = refOf(call);
        const before = await provider.query(payment);
        return before.state === 'approved' ? captured(provider, payment) : findingOf(before);
      }),

    /** Asks, closes, asks again: only then is an attempt closed (rule 5). A provider that is away is tried for ever. */
    closeAttempt: (call: AttemptCall): Promise<PaymentFinding> =>
      calling(async () => {
        const provider = await providerFor(call);
        const payment = refOf(call);
        const before = await provider.query(payment);
        if (isOver(before)) return findingOf(before);
        const { closing } = methodTerms(call.method);
        const isSure = closing === 'at_once' && !call.openedElsewhere;
        if (closing === 'never') return afterClosing(before, closing, isSure);
        const told = await provider.close(payment);
        return afterClosing(told ?? (await provider.query(payment)), closing, isSure);
      }),

    /** Asks until the provider says that the money came of which the merchant told. */
    async confirmPayment(call: ConfirmCall): Promise<PaymentFinding> {
      const provider = await providerFor(call);
      const pause = pauseBetweenAskings(deps.now() - call.startedAt);
      const report = await provider.query(refOf(call)).catch((error: unknown) => notYet(error, pause));
      if (report.state !== 'paid') throw tryAgain(`not confirmed: its provider says ${report.state}`, pause);
      if (call.known.includes(report.tradeNo)) throw tryAgain('its provider knows of other money only', pause);
      return findingOf(report);
    },
  };
}

const isOver = ({ state }: PaymentReport): boolean => state === 'paid' || state === 'closed' || state === 'revoked';

/** Whether an order that knows the attempt so learns something from it. */
function isNews(known: PaymentStatus, finding: PaymentFinding): boolean {
  switch (finding.state) {
    case 'pending':
      return false;
    case 'processing':
      return known === 'pending' || known === 'failed';
    case 'approved':
      return known === 'pending' || known === 'processing';
    case 'failed':
      return !finding.mayYetBePaid || (known !== 'failed' && known !== 'closed');
    case 'closed':
    case 'paid':
    case 'revoked':
      return true;
  }
}

/** A definite no is no end: the buyer may say yes again, perhaps with another card. */
async function captured(provider: PaymentProvider, payment: PaymentRef): Promise<PaymentFinding> {
  if (!provider.capture) throw new Error(`${provider.name} says that a payment is approved, and takes no such money`);
  try {
    const report = await provider.capture(payment);
    if (report.state === 'approved') throw tryAgain('approved, but its money could not be taken yet');
    return findingOf(report);
  } catch (error) {
    if (isRefusal(error)) return { state: 'failed', reason: `${error.code}: ${error.message}`, mayYetBePaid: true };
    throw error;
  }
}

async function attemptOf(deps: Deps, call: OpenCall): Promise<Attempt> {
  const { method, outTradeNo, order: orderId, money, title: description, startedAt, expiresAt } = call;
  const buyer = await findBuyer(deps.db, deps.sealer, call.buyer);
  const notifyUrl = deps.notifyUrl(providerOf(method), call.merchant);
  const formUrl = deps.formUrl(providerOf(method), call.merchant);
  const ownPage = deps.returnUrl(orderId);
  const returnUrl = buyer.return_url ?? ownPage;
  const landingUrl = call.buyer === undefined ? ownPage : deps.landingUrl(call.buyer);
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
    landingUrl,
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

/**
 * What is left of an attempt after its provider was asked to close it, where that can be done.
 * @param isSure what the provider does not know nobody can pay
 */
function afterClosing(report: PaymentReport, closing: MethodTerms['closing'], isSure: boolean): PaymentFinding {
  const finding = findingOf(report);
  if (isOver(report) || (finding.state === 'failed' && !finding.mayYetBePaid)) return finding;
  // Never heard of: nobody can pay it, because nobody was ever shown anything. Elsewhere they may have been.
  if (report.state === 'unknown' && isSure) return { state: 'closed' };
  if (report.state === 'unknown') return { state: 'closed', mayYetBePaid: true };
  // Unpaid, and no more can be done (rule 5). What was approved and is not taken is as good as closed.
  if (closing === 'never' && finding.state !== 'processing') return { state: 'closed', mayYetBePaid: true };
  throw tryAgain('closed, but the provider still says it is open');
}

/** How an order knows what a provider reports. */
export function findingOf(report: PaymentReport): PaymentFinding {
  switch (report.state) {
    case 'paid':
      return { state: 'paid', tradeNo: report.tradeNo, ...report.money, paidAt: report.paidAt };
    case 'revoked': {
      const { tradeNo, money, paidAt, settledAt } = report;
      return { state: 'revoked', tradeNo, ...money, paidAt, settledAt };
    }
    case 'unknown':
      return { state: 'pending' };
    case 'pending':
    case 'processing':
    case 'approved':
    case 'failed':
    case 'closed':
      return report;
  }
}

export type ProviderFor = (merchant: string, name: PaymentProvider['name']) => Promise<PaymentProvider>;
