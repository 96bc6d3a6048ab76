import type { KeyObject } from 'node:crypto';
import { createPrivateKey, generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { selfSignedCertificate } from '../certificate.ts';
import { keptSecret } from '../secret.ts';

const DAY_MS = 24 * 3600 * 1000;
const LIFE_MS = 5 * 365 * DAY_MS;
const OWNER = { C: 'US', O: 'Simulated PayPal', OU: 'Simulated CA', CN: 'messageverificationcerts.paypal.com' };

const KeptKeys = z.strictObject({ id: z.string(), certificatePem: z.string(), privatePem: z.string() });

/** What signs events, and the certificate that is served for it. */
export type WebhookKey = { id: string; certificatePem: string; privateKey: KeyObject };

/** Made once, then kept in the data folder. */
export async function webhookKey(dataDir: string | null, now: number): Promise<WebhookKey> {
  const text = await keptSecret(dataDir, 'paypal-keys.json', () => makeKey(now));
  const { id, certificatePem, privatePem } = KeptKeys.parse(JSON.parse(text));
  return { id, certificatePem, privateKey: createPrivateKey(privatePem) };
}

async function makeKey(now: number): Promise<string> {
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const certificatePem = selfSignedCertificate({
    ...pair,
    serial: Buffer.concat([Buffer.from([0x10]), randomBytes(15)]),
    name: OWNER,
    from: new Date(now - DAY_MS),
    until: new Date(now + LIFE_MS),
  });
  const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const part = () => randomBytes(4).toString('hex');
  const kept: z.infer<typeof KeptKeys> = { id: `CERT-${part()}-${part()}-${part()}`, certificatePem, privatePem };
  return JSON.stringify(kept, null, 2);
}
