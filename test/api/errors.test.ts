import { ServiceError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { problemOf } from '../../api/errors.ts';

const grpc = (code: number, message: string) =>
  Object.assign(new Error(message), { code, details: message, metadata: {} });
const wrapped = (cause: Error) => new ServiceError('Update-With-Start failed', { cause });

it.each([
  [9, 'Unable to perform workflow execution update due to Workflow Task in failed state.'],
  [10, 'workflow is closing'],
  [8, 'limit on in-flight updates has been reached'],
  [14, 'No connection established'],
])('what Temporal does not take now (gRPC %i) is told to come again later, with Retry-After', (code, message) => {
  for (const error of [grpc(code, message), wrapped(grpc(code, message))]) {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ code: 'temporarily_unavailable', options: { headers: { 'retry-after': '2' } } });
  }
});
