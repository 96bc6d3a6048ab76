/** What a vending client is told when something is wrong, in the order in which it is looked for (contract, section 3). */
const FAILURES = {
  unauthenticated: { code: 40003, message: '认证失败' },
  invalid: { code: 40001, message: '参数错误' },
  untimely: { code: 40002, message: '时间戳无效' },
  not_found: { code: 40004, message: '订单不存在' },
  expired: { code: 40005, message: '订单已过期' },
  broken: { code: 50000, message: '系统错误' },
} as const;
export type FailureName = keyof typeof FAILURES;

/** Ends a vending call: thrown anywhere, answered with its code. */
export class VendingFailure extends Error {
  readonly body: { code: number; message: string; data: Record<string, never> };
  constructor(name: FailureName) {
    super(FAILURES[name].message);
    this.body = { ...FAILURES[name], data: {} };
  }
}
