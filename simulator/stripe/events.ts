import { createHmac } from 'node:crypto';
import type { NoticeDraft } from '../provider.ts';
import type { Notice, Payment, Refund } from '../records.ts';
import type { Platform } from './platform.ts';
import { API_VERSION, newId, seconds } from './platform.ts';
import { intentObject, refundObject, sessionObject } from './views.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** Stripe says only "with exponential backoff, for up to three days". */
export const NOTICE_PAUSES_SECONDS = [
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  20 * HOUR,
  34 * HOUR,
];
export const NOTICE_TIMEOUT_MS = 10_000;

type SessionEvent = 'checkout.session.completed' | 'checkout.session.expired';
type IntentEvent = 'payment_intent.succeeded' | 'payment_intent.payment_failed' | 'payment_intent.requires_action';
type RefundEvent = 'refund.created' | 'refund.updated' | 'refund.failed';

/** `payment` as it is after what happened. */
export const sessionEvent = (platform: Platform, payment: Payment, type: SessionEvent): NoticeDraft | null =>
  draft(platform, payment, type, sessionObject(platform.desk, payment));

export const intentEvent = (platform: Platform, payment: Payment, type: IntentEvent): NoticeDraft | null =>
  draft(platform, payment, type, intentObject(platform.desk, payment));

export const refundEvent = (platform: Platform, payment: Payment, refund: Refund, type: RefundEvent) =>
  draft(platform, payment, type, refundObject(refund));

function draft({ desk, merchants }: Platform, payment: Payment, type: string, object: object): NoticeDraft | null {
  const merchant = [...merchants.values()].find(({ stripeAccount }) => stripeAccount === payment.merchant);
  if (!merchant?.webhookUrl) return null;
  const id = newId('evt');
  const event = {
    id,
    object: 'event',
    api_version: API_VERSION,
    created: seconds(desk.now()),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
  const about = { merchant: payment.merchant, payment: payment.id, event: type, url: merchant.webhookUrl };
  return { id, provider: 'stripe', ...about, body: JSON.stringify(event, null, 2), details: null };
}

/** Signed with every secret of the account, freshly each time (providers.md 4.6). */
export function noticeHeaders({ desk, merchants }: Platform, notice: Notice): Record<string, string> {
  const merchant = [...merchants.values()].find(({ stripeAccount }) => stripeAccount === notice.merchant);
  const isCorrupt = desk.faults.of('stripe').corrupt_signature === true;
  const signature = signatureHeader(notice.body, seconds(desk.now()), merchant?.webhookSecrets ?? [], isCorrupt);
  return { 'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': signature };
}

/** `t=…,v1=…`. `corrupt` signs another text: well formed, but wrong. */
export function signatureHeader(body: string, at: number, secrets: readonly string[], corrupt = false): string {
  const text = `${at}.${body}${corrupt ? 'corrupt' : ''}`;
  const hmac = (secret: string) => createHmac('sha256', secret).update(text, 'utf8').digest('hex');
  return [`t=${at}`, ...secrets.map((secret) => `v1=${hmac(secret)}`)].join(',');
}
