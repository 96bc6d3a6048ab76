const MESSAGES = {
  '20000': 'Service Currently Unavailable',
  '40001': 'Missing Required Arguments',
  '40002': 'Invalid Arguments',
  '40004': 'Business Failed',
  '40005': 'Too Frequent',
  '40006': 'Insufficient Permissions',
} as const;

/** A "no" of Alipay (providers.md 1.4): HTTP 200, and a code in the body. */
export class Refusal extends Error {
  readonly code: keyof typeof MESSAGES;
  readonly subCode: string;
  /** What is told beside the code. */
  readonly more: object;

  constructor(code: Refusal['code'], subCode: string, subMsg: string, more: object = {}) {
    super(subMsg);
    this.code = code;
    this.subCode = subCode;
    this.more = more;
  }

  /** The response node. */
  get node(): object {
    const { code, subCode: sub_code, message: sub_msg, more } = this;
    return { code, msg: MESSAGES[code], sub_code, sub_msg, ...more };
  }
}

/** A business "no": 40004 and the code behind `ACQ.`. */
export const refusedAs = (acq: string, message: string, more?: object): Refusal =>
  new Refusal('40004', `ACQ.${acq}`, message, more);

export const tradeNotExist = (outTradeNo?: string): Refusal =>
  refusedAs('TRADE_NOT_EXIST', '交易不存在', outTradeNo === undefined ? {} : { out_trade_no: outTradeNo });
