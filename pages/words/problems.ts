import type { ProblemCode } from '../../api/problem.ts';
import type { Same } from './same.ts';

/** Why something was not possible, and what to do. */
const en = {
  invalid_request: 'Something in the form is missing or not right.',
  unauthenticated: 'This link or sign-in is not valid any more.',
  forbidden: 'You may not do this here.',
  not_found: 'There is no such thing.',
  method_not_allowed: 'This is not possible here.',
  order_expired: 'The time to pay is over. Please order again in the shop.',
  invalid_state: 'The order does not allow this any more: see how it stands now.',
  already_paid: 'The order is already paid.',
  refund_exceeds_paid: 'This is more than what is left of the money paid. Choose less.',
  refund_window_closed: 'The time for refunds is over. Please ask the shop.',
  limit_reached: 'This was tried too often for one order. Please ask the shop.',
  merchant_order_no_taken: 'Another order has this number.',
  idempotency_key_in_progress: 'The same request is still running. Please wait a moment.',
  payload_too_large: 'What you entered is too long.',
  unsupported_media_type: 'The form was sent in a way that we do not understand.',
  idempotency_key_reused: 'This form was sent before with other entries. Please try again.',
  payment_method_unavailable: 'This way to pay is not on offer for this order. Please choose another one.',
  rate_limited: 'Too many requests. Please wait a minute.',
  internal_error: 'Something went wrong on our side. Please try again.',
  provider_error: 'The payment provider refused. Please try again, or choose another way to pay.',
  provider_unavailable: 'The payment provider does not answer. Please try again in a moment.',
  temporarily_unavailable: 'Not possible at the moment; nothing was lost. Please try again shortly.',
} satisfies Partial<Record<ProblemCode, string>>;

const zh: Same<typeof en> = {
  invalid_request: '表单有误或缺少内容。',
  unauthenticated: '链接或登录已失效。',
  forbidden: '您没有权限进行此操作。',
  not_found: '找不到该内容。',
  method_not_allowed: '此处不支持该操作。',
  order_expired: '支付时间已过，请在商家处重新下单。',
  invalid_state: '订单当前状态不允许此操作，请查看最新状态。',
  already_paid: '订单已支付。',
  refund_exceeds_paid: '超出可退金额，请减少退款内容。',
  refund_window_closed: '已超过退款期限，请联系商家。',
  limit_reached: '此订单的尝试次数已达上限，请联系商家。',
  merchant_order_no_taken: '该商户订单号已被使用。',
  idempotency_key_in_progress: '相同的请求正在处理，请稍候。',
  payload_too_large: '输入内容过长。',
  unsupported_media_type: '无法识别的表单格式。',
  idempotency_key_reused: '该表单已用其他内容提交过，请重试。',
  payment_method_unavailable: '此订单不支持该支付方式，请选择其他方式。',
  rate_limited: '请求过于频繁，请一分钟后再试。',
  internal_error: '系统出错，请重试。',
  provider_error: '支付渠道拒绝了请求，请重试或选择其他支付方式。',
  provider_unavailable: '支付渠道没有响应，请稍后重试。',
  temporarily_unavailable: '暂时无法处理，数据没有丢失，请稍后重试。',
};

export const problems = { en, zh };
