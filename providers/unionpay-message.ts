/** What UnionPay's messages are made of and how they are signed (providers.md 3.2, 3.3). */
import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { isIssuedBy, isValidAt } from './certificate-chain.ts';
import { signRsaSha256, verifyRsaSha256 } from './signing.ts';

/** The fields of one message; blank ones count as absent. */
export type Message = Readonly<Record<string, string>>;

/** Every field that says something but the signature: sorted by code unit, un-encoded. */
export function textToSign(message: Message): string {
  return Object.entries(message)
    .filter(([name, value]) => name !== 'signature' && value.trim() !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** The signature stands over the hash's hex, so the text is hashed twice. */
const digestOf = (message: Message): string => createHash('sha256').update(textToSign(message)).digest('hex');

/** @returns the message with its `signature`, blank fields left out */
export function signMessage(key: KeyObject, message: Message): Message {
  const said = Object.fromEntries(Object.entries(message).filter(([, value]) => value.trim() !== ''));
  return { ...said, signature: signRsaSha256(key, digestOf(said)) };
}

export function isSignedBy(key: KeyObject, message: Message): boolean {
  return verifyRsaSha256(key, digestOf(message), message['signature'] ?? '');
}

/**
 * An answer's body. Its values aren't encoded: a field ends at the next `&` outside of all brackets, its name at the
 * first `=`. undefined for a field without a name, or one that stands there twice.
 */
export function readAnswer(body: string): Message | undefined {
  const text = /^\{.*\}$/s.test(body) ? body.slice(1, -1) : body;
  const fields: [string, string][] = [];
  for (const part of partsOf(text)) {
    const end = part.indexOf('=');
    if (end < 1) return undefined;
    fields.push([part.slice(0, end), part.slice(end + 1)]);
  }
  return withoutDoubles(fields);
}

/** A notice's body: a form. undefined where a field stands there twice. */
export function readForm(body: string): Message | undefined {
  return withoutDoubles([...new URLSearchParams(body)]);
}

export const formText = (message: Message): string => new URLSearchParams(Object.entries(message)).toString();

function withoutDoubles(fields: readonly [string, string][]): Message | undefined {
  const message = Object.fromEntries(fields);
  return Object.keys(message).length === fields.length ? message : undefined;
}

function partsOf(text: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]!;
    if ('{['.includes(sign)) depth += 1;
    else if ('}]'.includes(sign)) depth -= 1;
    else if (sign === '&' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Who vouches for UnionPay's signing certificate. */
export type Chain = {
  root: X509Certificate;
  middle: X509Certificate;
  /** UnionPay's test environment signs under a name of its own. */
  isTest: boolean;
};

const UNIONPAY = '中国银联股份有限公司';
const TEST_SIGNER = '00040000:SIGN';

/** Why a message can't be taken as UnionPay's own; undefined if it can. Quotes nothing of it. */
export function flawIn(chain: Chain, message: Message, nowMs: number): string | undefined {
  const { signPubKeyCert = '', signature } = message;
  if (!signature) return 'not signed';
  const certificate = certificateIn(signPubKeyCert);
  if (!certificate) return 'no readable certificate';
  if (!isIssuedBy(certificate, chain.middle)) return 'the certificate is not one of our chain';
  if (![certificate, chain.middle, chain.root].every((each) => isValidAt(each, nowMs)))
    return 'a certificate is not valid now';
  // Without that, anyone with a certificate of the same authority could sign.
  const name = String(certificate.toLegacyObject().subject.CN ?? '');
  if (name.split('@')[2] !== UNIONPAY && !(chain.isTest && name === TEST_SIGNER)) return "not UnionPay's certificate";
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') return 'not an RSA key';
  return isSignedBy(certificate.publicKey, message) ? undefined : 'signature does not hold';
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
