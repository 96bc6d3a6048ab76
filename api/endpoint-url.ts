import { checkLiteral, ForbiddenAddress, resolveAllowed, systemResolve } from '../notifications/address.ts';
import { invalid } from './problem.ts';

/** Looking a host up takes no longer; milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * Refuses what could not be called anyway. What DNS says later is checked at every attempt.
 * @throws Problem that names the field
 */
export async function checkEndpointUrl(address: string, allowLoopback: boolean): Promise<void> {
  const url = new URL(address);
  if (url.username || url.password) throw wrong('Must not hold a user name or password.');
  if (url.hash) throw wrong('Must not have a fragment.');
  if (url.protocol !== 'https:' && !allowLoopback) throw wrong('Must be https.');
  try {
    checkLiteral(url, allowLoopback);
    await Promise.race([
      resolveAllowed(url.hostname.replace(/^\[|\]$/g, ''), allowLoopback, systemResolve),
      patience(),
    ]);
  } catch (error) {
    if (error instanceof ForbiddenAddress) throw wrong(`Must be on the public internet: ${error.message}.`);
    // A host that is not known yet may be known when it is called.
  }
}

const wrong = (message: string) => invalid({ path: 'url', message });
const patience = () => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
