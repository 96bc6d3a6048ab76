import { randomUUID, sign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { NoticeDraft } from '../provider.ts';
import type { Notice, Payment, Refund } from '../records.ts';
import type { Platform } from './platform.ts';
import { newId, orderDetails, timeOf } from './platform.ts';
import { captureObject, orderObject, refundObject } from './views.ts';

const HOUR = 3600;
/** At most 25 retries within three days; how they are spread is not published. */
export const NOTICE_PAUSES_SECONDS = [
  15,
  60,
  300,
  900,
  1800,
  HOUR,
  HOUR,
  2 * HOUR,
  ...Array<number>(17).fill(3.5 * HOUR),
];
export const NOTICE_TIMEOUT_MS = 30_000;

type Event = { type: string; resourceType: string; summary: string; resource: object };

export const orderApproved = (platform: Platform, payment: Payment): NoticeDraft | null =>
  draft(platform, payment, {
    type: 'CHECKOUT.ORDER.APPROVED',
    resourceType: 'checkout-order',
    summary: 'An order has been approved by buyer',
    resource: orderObject(platform, payment, true),
  });

export const captureCompleted = (platform: Platform, payment: Payment): NoticeDraft | null =>
  draft(platform, payment, {
    type: 'PAYMENT.CAPTURE.COMPLETED',
    resourceType: 'capture',
    summary: 'Payment completed',
    resource: captureObject(platform, payment),
  });

/** Refunds that fail are told to nobody. */
export const captureRefunded = (platform: Platform, payment: Payment, refund: Refund): NoticeDraft | null =>
  draft(platform, payment, {
    type: 'PAYMENT.CAPTURE.REFUNDED',
    resourceType: 'refund',
    summary: 'A payment was refunded',
    resource: refundObject(platform, payment, refund),
  });

/** What is signed (providers.md 5.7). */
export function signedText(transmission: { id: string; time: string }, webhookId: string, body: string): string {
  return `${transmission.id}|${transmission.time}|${webhookId}|${crc32(Buffer.from(body, 'utf8'))}`;
}

/** Every delivery is a transmission of its own, signed anew. */
export function noticeHeaders({ desk, key }: Platform, notice: Notice): Record<string, string> {
  const { webhookId, certUrl } = notice.details as Details;
  const transmission = { id: randomUUID(), time: timeOf(desk.now()) };
  const isCorrupt = desk.faults.of('paypal').corrupt_signature;
  const text = signedText(transmission, webhookId, isCorrupt ? `${notice.body}corrupt` : notice.body);
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'PayPal/AUHD-1.0-1',
    'PAYPAL-AUTH-ALGO': 'SHA256withRSA',
    'PAYPAL-CERT-URL': certUrl,
    'PAYPAL-TRANSMISSION-ID': transmission.id,
    'PAYPAL-TRANSMISSION-TIME': transmission.time,
    'PAYPAL-TRANSMISSION-SIG': sign('sha256', Buffer.from(text), key.privateKey).toString('base64'),
  };
}

type Details = { webhookId: string; certUrl: string };

function draft(platform: Platform, payment: Payment, event: Event): NoticeDraft | null {
  const webhook = platform.merchants.get(payment.merchant)?.webhook;
  if (!webhook) return null;
  const { apiUrl } = orderDetails(payment);
  const id = `WH-${newId()}-${newId()}`;
  const details: Details = { webhookId: webhook.id, certUrl: `${apiUrl}/v1/notifications/certs/${platform.key.id}` };
  const body = JSON.stringify({
    id,
    event_version: '1.0',
    create_time: new Date(platform.desk.now()).toISOString(),
    resource_type: event.resourceType,
    resource_version: '2.0',
    event_type: event.type,
    summary: event.summary,
    resource: event.resource,
    links: [{ href: `${apiUrl}/v1/notifications/webhooks-events/${id}`, rel: 'self', method: 'GET' }],
  });
  const { merchant, id: about } = payment;
  return { id, provider: 'paypal', merchant, payment: about, event: event.type, url: webhook.url, body, details };
}
