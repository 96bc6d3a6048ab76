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
  invalidArgument: 3,
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

/** A task of the workflow is under way: it is not to be queried now. */
export class IsAtWork extends Error {
  override name = 'IsAtWork';
}
/** So we found, or the server, which keeps no query for the task's end. */
export const meetsATask = (error: unknown): boolean =>
  error instanceof IsAtWork || codeOf(error) === grpc.resourceExhausted;

const NO_ANSWER = new Set<number | undefined>([
  grpc.failedPrecondition,
  grpc.notFound,
  grpc.deadlineExceeded,
  grpc.cancelled,
  grpc.invalidArgument,
]);

/** The workflow is not there, has not begun, or is busy: then the database has the answer. */
export function queryHasNoAnswer(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError) return true;
  if (meetsATask(error)) return true;
  return NO_ANSWER.has(codeOf(error));
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
