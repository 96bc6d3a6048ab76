import type { KeyObject } from 'node:crypto';
import { createPrivateKey, generateKeyPair, randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { selfSignedCertificate } from '../certificate.ts';
import { keptSecret } from '../secret.ts';
import { certificateSn, rootCertificateSn } from './signature.ts';

const LIFE_MS = 5 * 365 * 24 * 3600 * 1000;
const OWNER = { C: 'CN', O: 'Simulated Ant Financial', OU: 'Certification Authority', CN: 'Simulated Alipay R1' };

const KeptKeys = z.strictObject({ privateKeyPem: z.string(), publicKeyPem: z.string(), certificatePem: z.string() });

/** Alipay's one key; merchants in certificate mode know it by a certificate, which is its own root. */
export type PlatformKeys = {
  privateKey: KeyObject;
  publicKeyPem: string;
  certificatePem: string;
  certSn: string;
  rootCertSn: string;
};

/** Made once, then kept in the data folder. */
export async function platformKeys(dataDir: string | null, now: number): Promise<PlatformKeys> {
  const text = await keptSecret(dataDir, 'alipay-keys.json', () => makeKeys(now));
  const { privateKeyPem, publicKeyPem, certificatePem } = KeptKeys.parse(JSON.parse(text));
  return {
    privateKey: createPrivateKey(privateKeyPem),
    publicKeyPem,
    certificatePem,
    certSn: certificateSn(certificatePem),
    rootCertSn: rootCertificateSn(certificatePem),
  };
}

async function makeKeys(now: number): Promise<string> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kept: z.infer<typeof KeptKeys> = {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    certificatePem: selfSignedCertificate({
      privateKey,
      publicKey,
      serial: Buffer.concat([Buffer.from([randomInt(1, 0x80)]), randomBytes(15)]),
      name: OWNER,
      from: new Date(now - 24 * 3600 * 1000),
      until: new Date(now + LIFE_MS),
    }),
  };
  return JSON.stringify(kept, null, 2);
}
