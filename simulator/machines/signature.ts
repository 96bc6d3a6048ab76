import { createHmac, timingSafeEqual } from 'node:crypto';

/** The machine backend's side of Standard Webhooks, written from its specification (docs/adr/0004). */

const OLDEST_SECONDS = 5 * 60;

export type SignedHeaders = { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string };

export function sign(secret: string, id: string, body: string, now: number): SignedHeaders {
  const seconds = Math.floor(now / 1000).toString();
  return {
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${macOf(secret, [id, seconds, body].join('.'))}`,
  };
}

/** @returns what is wrong with it, or null */
export function flawOf(
  secret: string,
  header: (name: string) => string | undefined,
  body: string,
  now: number,
): string | null {
  const id = header('webhook-id') ?? '';
  const seconds = header('webhook-timestamp') ?? '';
  const given = header('webhook-signature') ?? '';
  if (id === '' || given === '') return 'not signed';
  if (!/^[0-9]+$/.test(seconds)) return 'no timestamp';
  if (Math.abs(now / 1000 - Number(seconds)) > OLDEST_SECONDS) return 'too old, or from the future';
  const right = Buffer.from(`v1,${macOf(secret, [id, seconds, body].join('.'))}`);
  const holds = given
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => one.byteLength === right.byteLength && timingSafeEqual(one, right));
  return holds ? null : 'wrong signature';
}

function macOf(secret: string, content: string): string {
  const [, encoded = ''] = secret.split('whsec_');
  return createHmac('sha256', Buffer.from(encoded, 'base64')).update(content, 'utf8').digest('base64');
}
