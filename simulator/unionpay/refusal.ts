/** A "no" of the platform, by its code (providers.md 3.6). */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The platform's words end in seven digits. */
export const SUCCESS = { respCode: '00', respMsg: '成功[0000000]' } as const;
export const notFound = (): Refusal => new Refusal('34', '查无此交易[2600000]');
export const wrongFormat = (field: string, issue: string): Refusal =>
  new Refusal('10', `报文格式错误：${field} ${issue}[1000010]`);
export const missingField = (field: string): Refusal => new Refusal('13', `报文交易要素缺失：${field}[1300000]`);
export const duplicate = (): Refusal => new Refusal('12', '重复交易[2040004]');
