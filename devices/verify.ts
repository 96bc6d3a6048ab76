import { WebhookVerificationError, type Webhook } from 'standardwebhooks';
import { NoticeRejected } from '../providers/provider.ts';

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
