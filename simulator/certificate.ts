import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { bitString, integer, nothing, octetString, oid, sequence, set, tagged, utcTime, utf8, yes } from './der.ts';

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const BASIC_CONSTRAINTS = '2.5.29.19';
const NAME_PARTS = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' };

export type CertificateName = Record<keyof typeof NAME_PARTS, string>;
export type Issuer = { name: CertificateName; privateKey: KeyObject };

type CertificateRequest = {
  publicKey: KeyObject;
  /** Big-endian, without a leading zero byte. */
  serial: Uint8Array;
  name: CertificateName;
  from: Date;
  until: Date;
  /** Whether its key may sign certificates. */
  isAuthority?: boolean;
};

/** A self-signed X.509 certificate (RFC 5280), as PEM. */
export function selfSignedCertificate({
  privateKey,
  ...request
}: CertificateRequest & { privateKey: KeyObject }): string {
  return issuedCertificate(request, { name: request.name, privateKey });
}

/** An X.509 certificate (RFC 5280) that vouches for a public key, as PEM. */
export function issuedCertificate(request: CertificateRequest, issuer: Issuer): string {
  const { publicKey, serial, name, from, until, isAuthority = false } = request;
  const algorithm = sequence(oid(SHA256_WITH_RSA), nothing());
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))), // Version 3.
    integer(serial),
    algorithm,
    distinguishedName(issuer.name),
    sequence(utcTime(from), utcTime(until)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(isAuthority
      ? [tagged(3, sequence(sequence(oid(BASIC_CONSTRAINTS), yes(), octetString(sequence(yes())))))]
      : []),
  );
  const certificate = sequence(content, algorithm, bitString(sign('sha256', content, issuer.privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function distinguishedName(name: CertificateName): Buffer {
  const parts = Object.entries(NAME_PARTS) as [keyof typeof NAME_PARTS, string][];
  return sequence(...parts.map(([part, id]) => set(sequence(oid(id), utf8(name[part])))));
}
