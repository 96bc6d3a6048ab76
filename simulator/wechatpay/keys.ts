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
type KeptKeys = z.infer<typeof KeptKeys>;

export type PlatformCertificate = { pem: string; certificate: X509Certificate; signer: Signer };

/** The platform's two ways to sign: a public key with an id, and certificates (providers.md 2.4). */
export type PlatformKeys = {
  publicKeyPem: string;
  publicKeySigner: Signer;
  /** Those that are valid, the one that signs first. */
  certificates: [PlatformCertificate, ...PlatformCertificate[]];
};

/** Made once, then kept in the data folder. */
export async function platformKeys(dataDir: string | null, now: number): Promise<PlatformKeys> {
  const text = await keptSecret(dataDir, 'wechatpay-keys.json', () => makeKeys(now));
  const kept = KeptKeys.parse(JSON.parse(text));
  return {
    publicKeyPem: kept.publicKeyPem,
    publicKeySigner: { serial: kept.publicKeyId, privateKey: createPrivateKey(kept.publicKeyPrivatePem) },
    certificates: [certificateOf(kept)],
  };
}

/** A new certificate signs from now on; the one before stays valid until the next. A restart ends it. */
export async function rotate(keys: PlatformKeys, now: number): Promise<void> {
  const fresh = certificateOf(await makeCertificate(now));
  keys.certificates = [fresh, keys.certificates[0]];
}

/** The key a merchant asked for; the certificate's where it named none; nothing for a name that isn't ours. */
export function signerNamed(keys: PlatformKeys, serial: string | undefined): Signer | undefined {
  const { publicKeySigner, certificates } = keys;
  if (serial === undefined) return certificates[0].signer;
  return [publicKeySigner, ...certificates.map(({ signer }) => signer)].find((signer) => signer.serial === serial);
}

type KeptCertificate = Pick<KeptKeys, 'certificatePem' | 'certificatePrivatePem'>;

function certificateOf({ certificatePem: pem, certificatePrivatePem }: KeptCertificate): PlatformCertificate {
  const certificate = new X509Certificate(pem);
  const signer = { serial: certificate.serialNumber, privateKey: createPrivateKey(certificatePrivatePem) };
  return { pem, certificate, signer };
}

const rsa = () => promisify(generateKeyPair)('rsa', { modulusLength: 2048 });

async function makeKeys(now: number): Promise<string> {
  const [forPublicKey, certificate] = await Promise.all([rsa(), makeCertificate(now)]);
  const kept: KeptKeys = {
    publicKeyId: `PUB_KEY_ID_01${Array.from({ length: 32 }, () => randomInt(10)).join('')}`,
    publicKeyPem: forPublicKey.publicKey.export({ type: 'spki', format: 'pem' }) as string,
    publicKeyPrivatePem: forPublicKey.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    ...certificate,
  };
  return JSON.stringify(kept, null, 2);
}

async function makeCertificate(now: number): Promise<KeptCertificate> {
  const pair = await rsa();
  const certificatePem = selfSignedCertificate({
    ...pair,
    // Twenty bytes, as the real ones; the first neither zero nor negative.
    serial: Buffer.concat([Buffer.from([randomInt(1, 0x80)]), randomBytes(19)]),
    name: OWNER,
    from: new Date(now - 24 * 3600 * 1000),
    until: new Date(now + LIFE_MS),
  });
  return {
    certificatePem,
    certificatePrivatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
