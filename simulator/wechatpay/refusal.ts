/** A "no" of the platform, as HTTP tells it (providers.md 2.9). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: object | undefined;

  constructor(status: number, code: string, message: string, detail?: object) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

type Location = 'body' | 'query' | 'url' | 'header';

/** 400 PARAM_ERROR about one field. */
export function wrongField(location: Location, field: string, value: unknown, issue: string): Refusal {
  return new Refusal(400, 'PARAM_ERROR', `输入源“/${location}/${field}”规则校验失败，${issue}`, {
    field,
    value,
    issue,
    location,
  });
}

export const orderNotExist = (): Refusal => new Refusal(404, 'ORDER_NOT_EXIST', '订单不存在');
export const orderPaid = (): Refusal => new Refusal(400, 'ORDERPAID', '该订单已支付');
