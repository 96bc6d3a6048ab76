import { findRecord } from '../db/machines.ts';
import { dispatchId } from '../domain/ids.ts';
import { isRefusal, ProviderError } from '../providers/provider.ts';
import type { DispatchCall, Dispatched } from './calls.ts';
import { asFailure } from './failure.ts';
import type { Deps } from './index.ts';

export function dispatchActivities({ db, machines, notifyUrl }: Deps) {
  return {
    /** Tells a machine to dispense, until its backend has taken that: one id is one dispensing, however often told. */
    async dispatchItem({ merchant, order, item, dispatch, quantity, mayBeTaken }: DispatchCall): Promise<Dispatched> {
      const gateway = await machines(merchant);
      const { machineNo, ...record } = await findRecord(db, item);
      const reportUrl = notifyUrl('machines', merchant);
      try {
        await gateway.dispatch({
          id: dispatchId(item, dispatch),
          order,
          item,
          machineNo,
          ...record,
          quantity,
          reportUrl,
        });
        return { machineNo, finding: { state: 'taken' } };
      } catch (error) {
        // What it knows already, perhaps with more units: a refund took some since it was told (rule 7).
        if (mayBeTaken && isRefusal(error, ['http_409'])) return { machineNo, finding: { state: 'taken' } };
        if (isRefusal(error))
          return { machineNo, finding: { state: 'refused', reason: `${error.code}: ${error.message}` } };
        if (isLost(error) && !mayBeTaken) return { machineNo, finding: { state: 'uncertain' } };
        throw asFailure(error);
      }
    },
  };
}

/** Nobody knows whether the machine was told. */
const isLost = (error: unknown): boolean => error instanceof ProviderError && error.outcome === 'unknown';
