import { checkLiteral, ForbiddenAddress, resolveAllowed, systemResolve } from './address.ts';

/** Looking a host up takes no longer; milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * Why nothing could be sent to this URL anyway; null: nothing is known against it. What DNS says later is checked at every
 * attempt.
 */
export async function flawOfUrl(address: string, allowLoopback: boolean): Promise<string | null> {
  if (!URL.canParse(address)) return 'Must be a URL.';
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol)) return 'Must be https.';
  if (url.username || url.password) return 'Must not hold a user name or password.';
  if (url.hash) return 'Must not have a fragment.';
  if (url.protocol !== 'https:' && !allowLoopback) return 'Must be https.';
  try {
    checkLiteral(url, allowLoopback);
    await Promise.race([
      resolveAllowed(url.hostname.replace(/^\[|\]$/g, ''), allowLoopback, systemResolve),
      patience(),
    ]);
  } catch (error) {
    if (error instanceof ForbiddenAddress) return `Must be on the public internet: ${error.message}.`;
    // A host that is not known yet may be known when it is called.
  }
  return null;
}

const patience = () => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
