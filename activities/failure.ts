import { ApplicationFailure } from '@temporalio/common';
import { ProviderError } from '../providers/provider.ts';

/** What Temporal is to try again, when, and under which name people see it. */

/** Not done yet; to be tried again after this pause (milliseconds), or after Temporal's own. */
export function tryAgain(message: string, pauseMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'try_again',
    message,
    ...(pauseMs !== undefined && { nextRetryDelay: pauseMs }),
  });
}

/** A provider's silence or refusal as a failure that is tried again. Anything else is passed on as it is. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  return tryAgain(`${error.outcome}: ${error.code}: ${error.message}`, error.retryAfterMs);
}

export async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asFailure(error);
  }
}

/** An operator removed the account, or it was never there: calls wait for it. */
export class AccountMissing extends Error {}
