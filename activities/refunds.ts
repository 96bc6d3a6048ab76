import { Context } from '@temporalio/activity';
import type { RefundFinding } from '../domain/commands.ts';
import {
  isRefusal,
  ProviderError,
  type PaymentProvider,
  type RefundReport,
  type RefundRequest,
} from '../providers/provider.ts';
import type { RefundCall, RefundToMake, RefundToWatch } from './calls.ts';
import { calling, tryAgain } from './failure.ts';
import type { Deps } from './index.ts';

/** "Too frequent" delays a refund, it doesn't fail it (rule 7). Milliseconds. */
const PAUSE_WHEN_BUSY = 15_000;

export function refundActivities(deps: Deps) {
  const requestOf = ({ order: orderId, ...call }: RefundCall): RefundRequest => ({
    ...call,
    orderId,
    notifyUrl: deps.notifyUrl(call.provider, call.merchant),
  });
  return {
    /** One refund number is one refund, so a repeated call asks first, and asks again only for what never arrived. */
    makeRefund: ({ mayBeMade, ...call }: RefundToMake): Promise<RefundFinding> =>
      calling(async () => {
        const provider = await deps.provider(call.merchant, call.provider);
        const request = requestOf(call);
        const isRepeated = mayBeMade || Context.current().info.attempt > 1;
        const before = isRepeated ? await provider.queryRefund(request) : ({ state: 'unknown' } as const);
        return before.state === 'unknown' ? makeOnce(provider, request) : before;
      }),

    /** Asks until it is settled: soon at first, then rarely. */
    async watchRefund({ mayBeUnmade, ...call }: RefundToWatch): Promise<RefundFinding> {
      const provider = await deps.provider(call.merchant, call.provider);
      const pause = Math.min(20_000 * 1.5 ** (Context.current().info.attempt - 1), 600_000);
      const report: RefundReport = await provider.queryRefund(requestOf(call)).catch((error: unknown) => {
        throw tryAgain(error instanceof Error ? error.message : String(error), pause);
      });
      if (report.state === 'unknown' && mayBeUnmade) return { state: 'failed', reason: 'it was never made' };
      if (report.state === 'processing' || report.state === 'unknown') throw tryAgain('not settled yet', pause);
      return report;
    },
  };
}

async function makeOnce(provider: PaymentProvider, request: RefundRequest): Promise<RefundFinding> {
  try {
    const report = await provider.refund(request);
    return report.state === 'unknown' ? { state: 'processing' } : report;
  } catch (error) {
    if (isRefusal(error)) return { state: 'failed', reason: `${error.code}: ${error.message}` };
    if (error instanceof ProviderError && error.outcome === 'busy')
      throw tryAgain(error.message, error.retryAfterMs ?? PAUSE_WHEN_BUSY);
    throw error;
  }
}
