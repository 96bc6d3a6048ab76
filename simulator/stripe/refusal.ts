type Type = 'invalid_request_error' | 'idempotency_error' | 'api_error';

/** A "no" of Stripe, as HTTP tells it (providers.md 4.5). `kept`: a repetition under the same key gets it again. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: Type;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly kept: boolean;

  constructor(
    status: number,
    message: string,
    more: { type?: Type; code?: string; param?: string; kept?: boolean } = {},
  ) {
    super(message);
    const { type = 'invalid_request_error', code, param, kept = false } = more;
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.kept = kept;
  }

  get body(): object {
    const { type, code, message, param } = this;
    const doc = code === undefined ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${code}` };
    return { error: { type, message, ...doc, ...(param !== undefined && { param }) } };
  }
}

export const missing = (what: string, id: string, param = 'id'): Refusal =>
  new Refusal(404, `No such ${what}: '${id}'`, { code: 'resource_missing', param });
