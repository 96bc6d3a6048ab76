import { randomInt } from 'node:crypto';
import type { NoticeDraft } from '../provider.ts';
import type { Notice, Payment, Refund } from '../records.ts';
import type { Platform } from './platform.ts';
import { paymentDetails, refundDetails, signerOf } from './platform.ts';
import { encrypt, gcmNonce, platformHeaders, sealNow } from './signature.ts';
import { beijingDay, beijingTime } from './time.ts';
import { refundNoticeObject, transactionObject } from './views.ts';

/** providers.md 2.10. */
export const NOTICE_PAUSES_SECONDS = [
  15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
] as const;
export const NOTICE_TIMEOUT_MS = 5_000;

type Event = { type: string; summary: string; about: 'transaction' | 'refund'; content: object };

/** TRANSACTION.SUCCESS; only successful payments are told. `payment` is the paid one. */
export function paymentNotice(platform: Platform, payment: Payment): NoticeDraft | null {
  const content = transactionObject(platform.desk, payment);
  const event: Event = { type: 'TRANSACTION.SUCCESS', summary: '支付成功', about: 'transaction', content };
  const { notifyUrl, signer } = paymentDetails(payment);
  return draft(platform, payment, event, { notifyUrl, signer });
}

/** REFUND.SUCCESS or REFUND.CLOSED, where the request named somebody to tell. */
export function refundNotice(platform: Platform, payment: Payment, refund: Refund): NoticeDraft | null {
  const { notifyUrl, signer } = refundDetails(refund);
  if (notifyUrl === null) return null;
  const content = refundNoticeObject(payment, refund);
  const isDone = refund.status === 'succeeded';
  const words = isDone
    ? { type: 'REFUND.SUCCESS', summary: '退款成功' }
    : { type: 'REFUND.CLOSED', summary: '退款关闭' };
  return draft(platform, payment, { ...words, about: 'refund', content }, { notifyUrl, signer });
}

/** Every delivery is signed anew, with the key that the merchant asked for. */
export function noticeHeaders(platform: Platform, notice: Notice): Record<string, string> {
  const { signer } = notice.details as { signer: string };
  const { corrupt_signature: isCorrupt } = platform.desk.faults.of('wechatpay');
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'Mozilla/4.0',
    'Request-ID': requestId(),
    ...platformHeaders(signerOf(platform, signer), sealNow(notice.body, platform.desk.now()), isCorrupt),
  };
}

/** As the platform numbers its answers and notices. */
export function requestId(): string {
  return `08${Array.from({ length: 20 }, () => randomInt(16).toString(16).toUpperCase()).join('')}-${randomInt(1_000_000)}`;
}

function draft(
  platform: Platform,
  { merchant, id: payment }: Payment,
  event: Event,
  { notifyUrl: url, signer }: { notifyUrl: string; signer: string },
): NoticeDraft | null {
  const apiV3Key = platform.merchants.get(merchant)?.apiV3Key;
  if (apiV3Key === undefined) return null; // The merchant of an old payment is no longer configured.
  const id = noticeId(platform.desk.now());
  const body = JSON.stringify(envelope(id, event, apiV3Key, platform.desk.now()));
  return { id, provider: 'wechatpay', merchant, payment, event: event.type, url, body, details: { signer } };
}

function envelope(id: string, { type, summary, about, content }: Event, apiV3Key: string, now: number): object {
  const nonce = gcmNonce();
  return {
    id,
    create_time: beijingTime(now),
    resource_type: 'encrypt-resource',
    event_type: type,
    summary,
    resource: {
      original_type: about,
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: encrypt({ text: JSON.stringify(content), apiV3Key, nonce, associatedData: about }),
      associated_data: about,
      nonce,
    },
  };
}

function noticeId(now: number): string {
  return `EV-${beijingDay(now)}${randomInt(1_000_000_000, 10_000_000_000)}${randomInt(1_000_000_000, 10_000_000_000)}`;
}
