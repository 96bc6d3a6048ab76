import type { KeyObject } from 'node:crypto';
import { createHash, sign, verify } from 'node:crypto';

/** The fields of one message; blank ones count as absent. */
export type Message = Readonly<Record<string, string>>;

/** Whose signature stands under the platform's messages. */
export type Signer = {
  privateKey: KeyObject;
  /** PEM with CRLF, as it stands in the message. */
  certificate: string;
};

/** What is signed: every field that says something, sorted, un-encoded (providers.md 3.2). */
export function signedText(message: Message): string {
  const names = Object.keys(message).filter((name) => name !== 'signature' && message[name]?.trim() !== '');
  return names
    .sort()
    .map((name) => `${name}=${message[name]}`)
    .join('&');
}

/** Hashed, and the hash's lower-case hex hashed again by the signature. */
const hashed = (message: Message): Buffer =>
  Buffer.from(createHash('sha256').update(signedText(message), 'utf8').digest('hex'));

/** `corrupt` signs something else: well formed, but wrong. */
export function signedBy({ privateKey, certificate }: Signer, content: Message, corrupt = false): Message {
  const message = { ...content, signPubKeyCert: certificate };
  const text = hashed(corrupt ? { ...message, corrupt: 'corrupt' } : message);
  return { ...message, signature: sign('sha256', text, privateKey).toString('base64') };
}

export function isSignedWith(publicKey: KeyObject, message: Message): boolean {
  return verify('sha256', hashed(message), publicKey, Buffer.from(message['signature'] ?? '', 'base64'));
}

/** An answer's body: sorted, the values as they are, the signature last (providers.md 3.3). */
export function answerText(message: Message): string {
  return `${signedText(message)}&signature=${message['signature']}`;
}

/** A form's fields; undefined where one stands there twice. */
export function formFields(body: string): Message | undefined {
  const entries = [...new URLSearchParams(body)];
  const fields = Object.fromEntries(entries);
  return Object.keys(fields).length === entries.length ? fields : undefined;
}

/** As a notice's body, and as a browser posts it. */
export function formText(message: Message): string {
  return new URLSearchParams(Object.entries(message)).toString();
}
