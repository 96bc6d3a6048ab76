import type { Answer, Call, Platform } from './platform.ts';
import { encrypt, gcmNonce } from './signature.ts';
import { beijingTime } from './time.ts';

/** GET /v3/certificates: what is valid now, encrypted for the merchant that asks (providers.md 2.4). */
export function certificates({ keys }: Platform, { merchant }: Call): Answer {
  const nonce = gcmNonce();
  const associatedData = 'certificate';
  const ciphertext = encrypt({ text: keys.certificatePem, apiV3Key: merchant.apiV3Key, nonce, associatedData });
  const entry = {
    serial_no: keys.certificateSigner.serial,
    effective_time: beijingTime(Date.parse(keys.certificate.validFrom)),
    expire_time: beijingTime(Date.parse(keys.certificate.validTo)),
    encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data: associatedData, ciphertext },
  };
  return { status: 200, body: { data: [entry] } };
}
