import type { Kysely } from 'kysely';
import { openSecrets, putEndpoint, sealSecrets, setSecrets, type Endpoint } from '../db/endpoints.ts';
import type { Database } from '../db/schema.ts';
import type { Sealer } from '../db/sealed.ts';
import { LIMITS } from '../domain/limits.ts';
import type { NotificationType } from '../domain/notification.ts';
import { newSecret } from '../wire/standard-webhooks.ts';

/** Where merchants are told, and how it is signed: for whoever sets it up, by the API or by hand. */

type Keeping = { db: Kysely<Database>; sealer: Sealer };
/** `secret`: shown to the merchant this once. */
export type WithSecret = { endpoint: Endpoint; secret: string };
export type Wanted = { id: string; merchant: string; url: string; types: readonly NotificationType[] | null };

/** The same id again means the same endpoint, with a newer secret. @returns null if the merchant has as many as may be */
export async function addEndpoint({ db, sealer }: Keeping, wanted: Wanted): Promise<WithSecret | null> {
  const secret = newSecret();
  const secrets = sealSecrets(sealer, wanted.id, [{ secret, until: null }]);
  const endpoint = await putEndpoint(db, { ...wanted, secrets }, LIMITS.webhookEndpoints);
  return endpoint && { endpoint, secret };
}

/** @param at epoch milliseconds. @param overlapSeconds how long the secret so far signs too */
export async function rotateSecret(
  { db, sealer }: Keeping,
  endpoint: Endpoint,
  at: number,
  overlapSeconds: number,
): Promise<WithSecret> {
  const overlapEnd = at + overlapSeconds * 1000;
  const earlier = openSecrets(sealer, endpoint, at).map(({ secret, until }) => ({
    secret,
    until: Math.min(until ?? overlapEnd, overlapEnd),
  }));
  const secret = newSecret();
  const secrets = [{ secret, until: null }, ...earlier].slice(0, LIMITS.webhookSecrets);
  await setSecrets(db, endpoint.id, sealSecrets(sealer, endpoint.id, secrets));
  return { endpoint, secret };
}
