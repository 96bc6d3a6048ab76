/** Who vouches for a certificate (RFC 5280, 6.1, as far as Node tells it). */
import { X509Certificate } from 'node:crypto';

const PEM = /-----BEGIN CERTIFICATE-----[\w+/=\s]+-----END CERTIFICATE-----/g;

/** All that stand in a text, in its order. @throws Error for one that can't be read */
export const certificatesIn = (text: string): X509Certificate[] =>
  (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));

export const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** @param nowMs epoch milliseconds */
export function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

const LONGEST = 6;

/**
 * Whether a certificate leads, over others that came with it, to one that is trusted; all of them valid now.
 * @param trusted authorities, or the very certificate
 */
export function isVouchedFor(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  nowMs: number,
): boolean {
  let current = certificate;
  for (let steps = 0; steps < LONGEST && isValidAt(current, nowMs); steps += 1) {
    const { raw, issuer } = current;
    if (trusted.some((each) => each.raw.equals(raw))) return true;
    const above = [...trusted, ...others].find(
      (each) => each.ca && each.subject === issuer && isIssuedBy(current, each),
    );
    if (!above) return false;
    current = above;
  }
  return false;
}
