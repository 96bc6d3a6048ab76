import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { NoticeRejected } from '../providers/provider.ts';

/** Standard Webhooks (https://www.standardwebhooks.com), in both directions. */

/** The specification wants 24 to 64 bytes. */
const LEAST_BYTES = 24;

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

/** @throws NoticeRejected if no signature of ours holds, or the message is more than 5 minutes off */
export function verify(signers: readonly Webhook[], headers: Headers, body: Uint8Array): void {
  const refusals = signers.map((signer) => refusalOf(signer, headers, body));
  if (!refusals.includes(null)) throw new NoticeRejected(refusals[0] ?? 'there is no secret');
}

function refusalOf(signer: Webhook, headers: Headers, body: Uint8Array): string | null {
  try {
    signer.verify(Buffer.from(body), Object.fromEntries(headers), { jsonParse: false });
    return null;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.message;
    throw error;
  }
}
