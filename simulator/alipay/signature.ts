import type { KeyObject } from 'node:crypto';
import { createHash, sign, verify, X509Certificate } from 'node:crypto';

export type Params = Readonly<Record<string, string>>;

/** A merchant signs its `sign_type` too, and leaves empty values out (providers.md 1.2). */
export const requestText = (params: Params): string => textOf(params, (name) => name !== 'sign' && params[name] !== '');
/** Notices, and what a browser brings back to the merchant, are signed without it (providers.md 1.8). */
export const noticeText = (params: Params): string => textOf(params, (name) => name !== 'sign' && name !== 'sign_type');

/** Names sorted, nothing encoded. */
function textOf(params: Params, isSigned: (name: string) => boolean): string {
  return Object.keys(params)
    .filter(isSigned)
    .sort()
    .map((name) => `${name}=${params[name]}`)
    .join('&');
}

/** RSA2. `corrupt` signs another text: well formed, but wrong. */
export function rsaSign(text: string, key: KeyObject, corrupt = false): string {
  return sign('sha256', Buffer.from(corrupt ? `${text}corrupt` : text, 'utf8'), key).toString('base64');
}

export function rsaVerify(text: string, signature: string, key: KeyObject): boolean {
  return verify('sha256', Buffer.from(text, 'utf8'), key, Buffer.from(signature, 'base64'));
}

/** The "SN" of a certificate: md5 over issuer and decimal serial (providers.md 1.2). */
export function certificateSn(pem: string): string {
  const { issuer, serialNumber } = new X509Certificate(pem);
  const name = issuer.split('\n').toReversed().join(',');
  return createHash('md5')
    .update(name + BigInt(`0x${serialNumber}`).toString())
    .digest('hex');
}

/** The SN of a bundle: of those that are signed with RSA. */
export function rootCertificateSn(bundle: string): string {
  const certificates = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return certificates.filter(isSignedWithRsa).map(certificateSn).join('_');
}

/** 1.2.840.113549.1.1, which all RSA signatures' identifiers begin with, as DER. */
const PKCS1 = Buffer.from('2a864886f70d0101', 'hex');

/** In X.509 the signature's algorithm stands right behind the signed part. */
function isSignedWithRsa(pem: string): boolean {
  const der = new X509Certificate(pem).raw;
  const signedPart = contentAt(der, 0).from;
  const algorithm = contentAt(der, contentAt(der, signedPart).until);
  const identifier = contentAt(der, algorithm.from);
  return der.subarray(identifier.from, identifier.from + PKCS1.length).equals(PKCS1);
}

/** Where the content of the DER element at `at` lies. */
function contentAt(der: Buffer, at: number): { from: number; until: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { from: at + 2, until: at + 2 + first };
  const from = at + 2 + (first & 0x7f);
  return { from, until: from + der.readUIntBE(at + 2, first & 0x7f) };
}
