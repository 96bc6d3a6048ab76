import { createPrivateKey, generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { CertificateName } from '../certificate.ts';
import { issuedCertificate, selfSignedCertificate } from '../certificate.ts';
import { keptSecret } from '../secret.ts';
import type { Signer } from './message.ts';

const DAY_MS = 24 * 3600 * 1000;
const LIFE_MS = 10 * 365 * DAY_MS;

/** The third part of the signer's CN is what merchants go by (providers.md 3.3). */
const SIGNER_CN = '041@8310000000083040@中国银联股份有限公司@00016495';
const named = (CN: string): CertificateName => ({ C: 'CN', O: 'Simulated CFCA', OU: 'CUP', CN });

const KeptKeys = z.strictObject({
  rootPem: z.string(),
  middlePem: z.string(),
  signerPem: z.string(),
  signerPrivatePem: z.string(),
});

/** The platform's chain: a root, what it vouches for, and the certificate that every message carries. */
export type PlatformKeys = { rootPem: string; middlePem: string; signer: Signer };

/** Made once, then kept in the data folder. The authorities' private keys are thrown away. */
export async function platformKeys(dataDir: string | null, now: number): Promise<PlatformKeys> {
  const text = await keptSecret(dataDir, 'unionpay-keys.json', () => makeKeys(now));
  const { rootPem, middlePem, signerPem, signerPrivatePem } = KeptKeys.parse(JSON.parse(text));
  const certificate = signerPem.trim().replaceAll('\n', '\r\n');
  return { rootPem, middlePem, signer: { certificate, privateKey: createPrivateKey(signerPrivatePem) } };
}

async function makeKeys(now: number): Promise<string> {
  const rsa = () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const [root, middle, signer] = await Promise.all([rsa(), rsa(), rsa()]);
  const terms = () => ({ serial: serialNumber(), from: new Date(now - DAY_MS), until: new Date(now + LIFE_MS) });
  const [rootName, middleName] = [named('Simulated CFCA Root'), named('Simulated CFCA OCA1')];
  const kept: z.infer<typeof KeptKeys> = {
    rootPem: selfSignedCertificate({ ...root, ...terms(), name: rootName, isAuthority: true }),
    middlePem: issuedCertificate(
      { ...terms(), publicKey: middle.publicKey, name: middleName, isAuthority: true },
      { name: rootName, privateKey: root.privateKey },
    ),
    signerPem: issuedCertificate(
      { ...terms(), publicKey: signer.publicKey, name: named(SIGNER_CN) },
      { name: middleName, privateKey: middle.privateKey },
    ),
    signerPrivatePem: signer.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  return JSON.stringify(kept, null, 2);
}

/** Five bytes, as the real ones; the first neither zero nor negative. */
function serialNumber(): Buffer {
  return Buffer.concat([Buffer.from([0x10]), randomBytes(4)]);
}
