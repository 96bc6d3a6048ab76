import { Hono } from 'hono';
import type { Env } from '../provider.ts';
import { rotate, type PlatformKeys } from './keys.ts';
import type { Answer, Call, Platform } from './platform.ts';
import { encrypt, gcmNonce } from './signature.ts';
import { beijingTime } from './time.ts';

/** GET /v3/certificates: what is valid now, encrypted for the merchant that asks (providers.md 2.4). */
export function certificates({ keys }: Platform, { merchant: { apiV3Key } }: Call): Answer {
  const data = keys.certificates.map(({ pem, certificate, signer }) => {
    const nonce = gcmNonce();
    const associatedData = 'certificate';
    const ciphertext = encrypt({ text: pem, apiV3Key, nonce, associatedData });
    return {
      serial_no: signer.serial,
      effective_time: beijingTime(Date.parse(certificate.validFrom)),
      expire_time: beijingTime(Date.parse(certificate.validTo)),
      encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data: associatedData, ciphertext },
    };
  });
  return { status: 200, body: { data } };
}

/** What a merchant may know of the certificates, as they are when it asks. */
export const publicCertificates = ({ certificates: valid }: PlatformKeys): { serialNo: string; pem: string }[] =>
  valid.map(({ pem, signer }) => ({ serialNo: signer.serial, pem }));

/** POST /_control/wechatpay/certificates: a new one signs from now on; answers the serials, that one first. */
export function certificateControl({ desk, keys }: Platform): Hono<Env> {
  return new Hono<Env>().post('/certificates', async (c) => {
    await rotate(keys, desk.now());
    return c.json({ serials: publicCertificates(keys).map(({ serialNo }) => serialNo) });
  });
}
