/** What Alipay signs and how it names certificates (providers.md 1.2, 1.3, 1.8). */
import { createHash, createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { privateKeyFrom, publicKeyFrom } from './signing.ts';

export type Params = Readonly<Record<string, string>>;

/** What we sign: without `sign` and empty values. */
export const requestText = ({ sign: _sign, ...params }: Params): string =>
  joined(Object.entries(params).filter(([, value]) => value !== ''));

/** What Alipay signs in a notice: without `sign` and `sign_type`, but with whatever came empty. */
export const noticeText = ({ sign: _sign, sign_type: _kind, ...params }: Params): string =>
  joined(Object.entries(params));

/** Names in order, nothing encoded. */
const joined = (params: [string, string][]): string =>
  params
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

/**
 * The values of a JSON object's own members, character for character as they were sent: only these verify. undefined
 * where the text isn't an object, or names a member twice.
 */
export function rawMembers(json: string): ReadonlyMap<string, string> | undefined {
  const members = new Map<string, string>();
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs;
  let [depth, name, from] = [0, '', -1];
  for (const { 0: text, index } of json.matchAll(token)) {
    if (depth === 1 && from < 0 && text.startsWith('"')) name = JSON.parse(text) as string;
    const isEnd = depth === 1 && (text === ',' || text === '}');
    if (isEnd && from >= 0) {
      if (members.has(name)) return undefined;
      members.set(name, json.slice(from, index).trim());
      from = -1;
    }
    if (depth === 1 && text === ':') from = index + 1;
    if (text === '{' || text === '[') depth += 1;
    if (text === '}' || text === ']') depth -= 1;
  }
  return depth === 0 && json.trim().startsWith('{') ? members : undefined;
}

/** PEM, or one line of base64 as Alipay's own tools write keys (PKCS#8 or PKCS#1). @throws Error naming the key */
export function alipayPrivateKey(name: string, text: string): KeyObject {
  if (text.includes('-----BEGIN')) return privateKeyFrom(name, text);
  const der = Buffer.from(text, 'base64');
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    const key = attempted(() => createPrivateKey({ key: der, format: 'der', type }));
    if (key) return key;
  }
  return privateKeyFrom(name, text);
}

/** PEM (a certificate too), or one line of base64. @throws Error naming the key */
export function alipayPublicKey(name: string, text: string): KeyObject {
  if (text.includes('-----BEGIN')) return publicKeyFrom(name, text);
  const der = Buffer.from(text, 'base64');
  return attempted(() => createPublicKey({ key: der, format: 'der', type: 'spki' })) ?? publicKeyFrom(name, text);
}

function attempted(load: () => KeyObject): KeyObject | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\w+/=\s]+-----END CERTIFICATE-----/g;

/** A certificate's SN: md5 of issuer (last part first) and decimal serial. @throws Error naming the certificate */
export function certificateSn(name: string, pem: string): string {
  const { issuer, serialNumber } = certificateFrom(name, pem);
  const owner = issuer.split('\n').reverse().join(',');
  return createHash('md5')
    .update(`${owner}${BigInt(`0x${serialNumber}`)}`)
    .digest('hex');
}

/** The SN of a bundle of roots: of those signed with RSA, joined. @throws Error naming the bundle */
export function rootCertificateSn(name: string, bundle: string): string {
  const rsa = (bundle.match(CERTIFICATE) ?? []).filter((pem) => isSignedWithRsa(certificateFrom(name, pem)));
  if (rsa.length === 0) throw new Error(`${name}: holds no certificate signed with RSA`);
  return rsa.map((pem) => certificateSn(name, pem)).join('_');
}

function certificateFrom(name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`${name}: not a certificate in PEM form`);
  }
}

/** The object identifier that all of RSA's begin with: 1.2.840.113549.1.1. */
const RSA_PREFIX = '2a864886f70d0101';

/** The algorithm stands behind the signed part: SEQUENCE { signed part, SEQUENCE { OID, … }, … } (RFC 5280, 4.1). */
function isSignedWithRsa({ raw }: X509Certificate): boolean {
  const signedPart = headerEnd(raw, 0);
  const algorithm = headerEnd(raw, signedPart) + lengthAt(raw, signedPart);
  const identifier = headerEnd(raw, headerEnd(raw, algorithm));
  return raw.toString('hex', identifier, identifier + RSA_PREFIX.length / 2) === RSA_PREFIX;
}

const sizeBytes = (der: Buffer, at: number): number => (der[at + 1]! < 0x80 ? 0 : der[at + 1]! & 0x7f);
const headerEnd = (der: Buffer, at: number): number => at + 2 + sizeBytes(der, at);
const lengthAt = (der: Buffer, at: number): number =>
  sizeBytes(der, at) === 0 ? der[at + 1]! : der.readUIntBE(at + 2, sizeBytes(der, at));
