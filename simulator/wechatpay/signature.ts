import type { KeyObject } from 'node:crypto';
import { createCipheriv, randomBytes, sign, verify } from 'node:crypto';

export const SIGNATURE_TYPE = 'WECHATPAY2-SHA256-RSA2048';

/** One of the platform's keys, by the name that goes into `Wechatpay-Serial`. */
export type Signer = { serial: string; privateKey: KeyObject };

export type RequestText = { method: string; target: string; timestamp: string; nonce: string; body: string };

/** What a merchant signs (providers.md 2.2). `target` is path and query exactly as sent. */
export function requestText({ method, target, timestamp, nonce, body }: RequestText): string {
  return [method, target, timestamp, nonce, body, ''].join('\n');
}

/** What the platform signs, in answers and notices alike (providers.md 2.3). */
export function platformText({ timestamp, nonce, body }: { timestamp: string; nonce: string; body: string }): string {
  return [timestamp, nonce, body, ''].join('\n');
}

function rsaSign(text: string, privateKey: KeyObject): string {
  return sign('sha256', Buffer.from(text, 'utf8'), privateKey).toString('base64');
}

export function rsaVerify(text: string, signature: string, publicKey: KeyObject): boolean {
  return verify('sha256', Buffer.from(text, 'utf8'), publicKey, Buffer.from(signature, 'base64'));
}

export type Sealed = { timestamp: string; nonce: string; body: string };

/** The five headers that vouch for a body. `corrupt` signs another text: well formed, but wrong. */
export function platformHeaders(signer: Signer, sealed: Sealed, corrupt = false): Record<string, string> {
  const text = platformText(sealed);
  return {
    'Wechatpay-Timestamp': sealed.timestamp,
    'Wechatpay-Nonce': sealed.nonce,
    'Wechatpay-Signature': rsaSign(corrupt ? `${text}corrupt` : text, signer.privateKey),
    'Wechatpay-Serial': signer.serial,
    'Wechatpay-Signature-Type': SIGNATURE_TYPE,
  };
}

/** A time and nonce of this moment for a body. */
export function sealNow(body: string, now: number): Sealed {
  return { timestamp: String(Math.floor(now / 1000)), nonce: randomBytes(16).toString('hex').toUpperCase(), body };
}

type Plain = { text: string; apiV3Key: string; nonce: string; associatedData: string };

/** AES-256-GCM with the APIv3 key; the tag stands behind the text (providers.md 2.10). */
export function encrypt({ text, apiV3Key, nonce, associatedData }: Plain): string {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key, 'ascii'), Buffer.from(nonce, 'ascii'));
  cipher.setAAD(Buffer.from(associatedData, 'utf8'));
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** Twelve printable characters. */
export function gcmNonce(): string {
  return randomBytes(6).toString('hex');
}
