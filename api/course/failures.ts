/** What a course client is told when something is wrong (contract, section 4). */
const CODES = {
  broken: { code: 1, err_desc: '系统错误' },
  not_signed_in: { code: 2, err_desc: '未登录' },
  forbidden: { code: 3, err_desc: '无权限' },
  missing: { code: 4, err_desc: '缺少参数' },
  invalid: { code: 5, err_desc: '参数错误' },
  not_found: { code: 6, err_desc: '订单不存在' },
  unproven: { code: 7, err_desc: '支付结果未确认' },
} as const;
export type CourseFailureName = keyof typeof CODES;

/** Ends a course call: thrown anywhere, answered with its code. */
export class CourseFailure extends Error {
  readonly body: { code: number; err_desc: string };
  constructor(name: CourseFailureName, text: string = CODES[name].err_desc) {
    super(text);
    this.body = { code: CODES[name].code, err_desc: text };
  }
}
/** In the source's own words. */
export const albumMissing = () => new CourseFailure('missing', '缺少订购内容参数');
