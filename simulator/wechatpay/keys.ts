import { createPrivateKey, generateKeyPair, randomBytes, randomInt, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { selfSignedCertificate } from '../certificate.ts';
import { keptSecret } from '../secret.ts';
import type { Signer } from './signature.ts';

const LIFE_MS = 5 * 365 * 24 * 3600 * 1000;
const OWNER = { C: 'CN', O: 'Simulated Tenpay', OU: 'Simulated CA', CN: 'Tenpay.com sign' };

const KeptKeys = z.strictObject({
  publicKeyId: z.string(),
  publicKeyPem: z.string(),
  publicKeyPrivatePem: z.string(),
  certificatePem: z.string(),
  certificatePrivatePem: z.string(),
});

/** The platform's two ways to sign: a public key with an id, and a certificate (providers.md 2.4). */
export type PlatformKeys = {
  publicKeyPem: string;
  publicKeySigner: Signer;
  certificatePem: string;
  certificate: X509Certificate;
  certificateSigner: Signer;
};

/** Made once, then kept in the data folder. */
export async function platformKeys(dataDir: string | null, now: number): Promise<PlatformKeys> {
  const text = await keptSecret(dataDir, 'wechatpay-keys.json', () => makeKeys(now));
  const kept = KeptKeys.parse(JSON.parse(text));
  const certificate = new X509Certificate(kept.certificatePem);
  return {
    publicKeyPem: kept.publicKeyPem,
    publicKeySigner: { serial: kept.publicKeyId, privateKey: createPrivateKey(kept.publicKeyPrivatePem) },
    certificatePem: kept.certificatePem,
    certificate,
    certificateSigner: { serial: certificate.serialNumber, privateKey: createPrivateKey(kept.certificatePrivatePem) },
  };
}

/** The key a merchant asked for; the certificate where it named none; nothing for a name that isn't ours. */
export function signerNamed(keys: PlatformKeys, serial: string | undefined): Signer | undefined {
  const { publicKeySigner, certificateSigner } = keys;
  if (serial === undefined) return certificateSigner;
  return [publicKeySigner, certificateSigner].find((signer) => signer.serial === serial);
}

async function makeKeys(now: number): Promise<string> {
  const rsa = () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const [forPublicKey, forCertificate] = await Promise.all([rsa(), rsa()]);
  const certificatePem = selfSignedCertificate({
    ...forCertificate,
    // Twenty bytes, as the real ones; the first neither zero nor negative.
    serial: Buffer.concat([Buffer.from([randomInt(1, 0x80)]), randomBytes(19)]),
    name: OWNER,
    from: new Date(now - 24 * 3600 * 1000),
    until: new Date(now + LIFE_MS),
  });
  const kept: z.infer<typeof KeptKeys> = {
    publicKeyId: `PUB_KEY_ID_01${Array.from({ length: 32 }, () => randomInt(10)).join('')}`,
    publicKeyPem: forPublicKey.publicKey.export({ type: 'spki', format: 'pem' }) as string,
    publicKeyPrivatePem: forPublicKey.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificatePem,
    certificatePrivatePem: forCertificate.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  return JSON.stringify(kept, null, 2);
}
