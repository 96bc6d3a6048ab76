import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { bitString, integer, nothing, oid, sequence, set, tagged, utcTime, utf8 } from './der.ts';

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const NAME_PARTS = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' };

type CertificateRequest = {
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** Big-endian, without a leading zero byte. */
  serial: Uint8Array;
  name: Record<keyof typeof NAME_PARTS, string>;
  from: Date;
  until: Date;
};

/** A self-signed X.509 certificate (RFC 5280), as PEM. */
export function selfSignedCertificate({
  privateKey,
  publicKey,
  serial,
  name,
  from,
  until,
}: CertificateRequest): string {
  const algorithm = sequence(oid(SHA256_WITH_RSA), nothing());
  const owner = distinguishedName(name);
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))), // Version 3.
    integer(serial),
    algorithm,
    owner,
    sequence(utcTime(from), utcTime(until)),
    owner,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const certificate = sequence(content, algorithm, bitString(sign('sha256', content, privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function distinguishedName(name: CertificateRequest['name']): Buffer {
  const parts = Object.entries(NAME_PARTS) as [keyof typeof NAME_PARTS, string][];
  return sequence(...parts.map(([part, id]) => set(sequence(oid(id), utf8(name[part])))));
}
