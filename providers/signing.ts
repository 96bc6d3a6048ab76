/** The cryptography that providers share, on node:crypto. Keys are loaded once, and never quoted in an error. */
import { createDecipheriv, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** @param name what the key is for; the error names it. @throws Error for anything but a PEM private key */
export function privateKeyFrom(name: string, pem: string): KeyObject {
  return loaded(name, 'private key', () => createPrivateKey(pem));
}

/** @param pem a public key, or a certificate that holds one. @throws Error for anything else */
export function publicKeyFrom(name: string, pem: string): KeyObject {
  return loaded(name, 'public key or certificate', () => createPublicKey(pem));
}

function loaded(name: string, kind: string, load: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = load();
  } catch {
    throw new Error(`${name}: not a ${kind} in PEM form`);
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`${name}: not an RSA key`);
  return key;
}

/** RSASSA-PKCS1-v1_5 with SHA-256, in base64. Deterministic. */
export function signRsaSha256(key: KeyObject, text: string | Uint8Array): string {
  return sign('RSA-SHA256', bytesOf(text), key).toString('base64');
}

/** @param signature in base64; anything that isn't one is simply false */
export function verifyRsaSha256(key: KeyObject, text: string | Uint8Array, signature: string): boolean {
  return verify('RSA-SHA256', bytesOf(text), key, Buffer.from(signature, 'base64'));
}

const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text);

export type Sealed = {
  /** Base64; the last 16 bytes are the tag. */
  ciphertext: string;
  nonce: string;
  associatedData: string;
};

const TAG_BYTES = 16;

/** Opens AES-256-GCM. undefined if key, nonce, associated data or a single bit of the text are wrong. */
export function openAes256Gcm(key: Uint8Array, { ciphertext, nonce, associatedData }: Sealed): Buffer | undefined {
  const bytes = Buffer.from(ciphertext, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(associatedData)).setAuthTag(bytes.subarray(-TAG_BYTES));
    // final() is the check of the tag: without it anything would open.
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
