import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';

const grpc = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unavailable: 14,
};

function codeOf(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? undefined : codeOf(cause);
}

/**
 * A message that met the workflow's closing, or too many at once, or a worker that is not up to its tasks: the same one
 * again may go through.
 */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === grpc.failedPrecondition ||
    code === grpc.resourceExhausted ||
    code === grpc.aborted ||
    code === grpc.notFound
  );
}

/** A query's failure: no task of the workflow is complete yet (or they fail, again and again). */
export const hasNotBegun = (error: unknown): boolean => codeOf(error) === grpc.failedPrecondition;

/** The workflow is not there, has not begun, or is busy loading: then the database has the answer. */
export function queryHasNoAnswer(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError) return true;
  const code = codeOf(error);
  return code === grpc.failedPrecondition || code === grpc.notFound || code === grpc.deadlineExceeded || code === 3;
}

/** Temporal is away, or too slow to wait for, or would not take a message however often it was sent. */
export function isTemporalAway(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code = codeOf(error);
  return (
    isPassing(error) ||
    code === grpc.unavailable ||
    code === grpc.deadlineExceeded ||
    code === grpc.cancelled ||
    error instanceof ServiceError
  );
}
