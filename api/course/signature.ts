import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What proves a payment's result without asking its provider: `sign`, the hex HMAC-SHA256 over all other parameters
 * except `token`, sorted by name, joined `k=v&k=v`, not URL-encoded (contract, section 4).
 */
const UNSIGNED = new Set(['sign', 'token']);

/** A parameter that is given twice could mean two things: that proves nothing. */
export function isSigned(params: URLSearchParams, secret: string): boolean {
  const names = [...params.keys()];
  if (new Set(names).size < names.length) return false;
  const given = params.get('sign') ?? '';
  const right = signatureOf(params, secret);
  return /^[0-9a-f]{64}$/i.test(given) && timingSafeEqual(Buffer.from(given.toLowerCase()), Buffer.from(right));
}

export function signatureOf(params: URLSearchParams, secret: string): string {
  const signed = [...params]
    .filter(([name]) => !UNSIGNED.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return createHmac('sha256', secret).update(signed.join('&')).digest('hex');
}
