import { dayAt, startOf } from './day.ts';
import type { ProviderName } from './method.ts';

/** `2026-11-21`, on the clock of whoever's statement it is about. */
export type Day = string;

/**
 * On which clock a provider's statements are cut into days. The Chinese ones cut at midnight in China (UnionPay an hour
 * before); Stripe and PayPal list by moments, and we ask them for days of UTC.
 */
export const ZONES = {
  alipay: 'Asia/Shanghai',
  wechatpay: 'Asia/Shanghai',
  unionpay: 'Asia/Shanghai',
  stripe: 'UTC',
  paypal: 'UTC',
} as const satisfies Record<ProviderName, string>;

/** @param at epoch milliseconds */
export const statementDayAt = (provider: ProviderName, at: number): Day => dayAt(at, ZONES[provider]);

/** When it begins, epoch milliseconds. */
export const startOfStatement = (provider: ProviderName, day: Day): number => startOf(day, ZONES[provider]);
