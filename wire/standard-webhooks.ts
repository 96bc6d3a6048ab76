import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** Standard Webhooks (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`. */

/** The specification wants 24 to 64 bytes. */
const LEAST_BYTES = 24;
const BYTES = 32;

/** `whsec_` and base64. */
export const newSecret = (): string => `whsec_${randomBytes(BYTES).toString('base64')}`;

/** @param secret `whsec_` and base64. @throws naming the rule, never the secret */
export function signerOf(secret: string): Webhook {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (Buffer.from(base64 ?? '', 'base64').length < LEAST_BYTES)
    throw new Error(`a secret must be whsec_ and ${LEAST_BYTES} bytes or more in base64`);
  return new Webhook(secret);
}

/** @param signers all sign: during a rotation, either is good. @param at epoch milliseconds */
export function signedHeaders(signers: readonly Webhook[], id: string, body: string, at: number) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': signers.map((signer) => signer.sign(id, new Date(at), body)).join(' '),
  };
}
