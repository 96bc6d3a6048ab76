import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { selfSignedCertificate } from '../simulator/certificate.ts';

const DAY_MS = 24 * 3600 * 1000;

/** The demo merchant's signing certificate, as an authority would make it for a real one. */
export function demoCertificate(privateKeyPem: string): string {
  const privateKey = createPrivateKey(privateKeyPem);
  return selfSignedCertificate({
    privateKey,
    publicKey: createPublicKey(privateKey),
    serial: Buffer.concat([Buffer.from([0x10]), randomBytes(4)]),
    name: { C: 'CN', O: 'Demo CA', OU: 'Demo CA', CN: '051@Demo Shop@Demo Shop@00000001' },
    from: new Date(Date.now() - DAY_MS),
    until: new Date(Date.now() + 10 * 365 * DAY_MS),
  });
}
