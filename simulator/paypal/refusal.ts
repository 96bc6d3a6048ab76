type Detail = { issue: string; description: string; field?: string; value?: unknown; location?: 'body' };

/** A "no" of the platform, as HTTP tells it (providers.md 5.6). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: readonly Detail[];

  constructor(status: number, name: string, message: string, details: readonly Detail[] = []) {
    super(message);
    this.status = status;
    this.code = name;
    this.details = details;
  }
}

/** 400 about one field. */
export const invalid = (issue: string, field: string, description: string): Refusal =>
  new Refusal(400, 'INVALID_REQUEST', 'Request is not well-formed, syntactically incorrect, or violates schema.', [
    { issue, field, description, location: 'body' },
  ]);

/** 422: well formed, but not so. */
export const unprocessable = (issue: string, description: string): Refusal =>
  new Refusal(
    422,
    'UNPROCESSABLE_ENTITY',
    'The requested action could not be performed, semantically incorrect, or failed business validation.',
    [{ issue, description }],
  );

export const notFound = (): Refusal =>
  new Refusal(404, 'RESOURCE_NOT_FOUND', 'The specified resource does not exist.', [
    { issue: 'INVALID_RESOURCE_ID', description: 'Specified resource ID does not exist.' },
  ]);
