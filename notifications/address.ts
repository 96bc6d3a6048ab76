import { lookup as lookUp, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where a merchant's endpoint may be: on the public internet, and in the embedded mode on this machine too. */

/** An address that is not to be called. */
export class ForbiddenAddress extends Error {}

/** @param address of IP; one that is written as IPv6 but means IPv4 counts as that */
export function isAllowed(address: string, allowLoopback: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const range = ipaddr.process(address).range();
  return range === 'unicast' || (allowLoopback && range === 'loopback');
}

/** A host that is an address itself is never looked up. @throws ForbiddenAddress */
export function checkLiteral({ hostname }: URL, allowLoopback: boolean): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host) && !isAllowed(host, allowLoopback)) throw forbidden(host);
}

const forbidden = (address: string) => new ForbiddenAddress(`${address} is not an address on the public internet`);

/** The resolver of the system. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;
export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookUp(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** @throws ForbiddenAddress if any of the host's addresses is not to be called; what the resolver throws */
export async function resolveAllowed(host: string, allowLoopback: boolean, resolve: Resolve): Promise<LookupAddress[]> {
  const addresses = await resolve(host);
  const wrong = addresses.find(({ address }) => !isAllowed(address, allowLoopback));
  if (wrong) throw forbidden(wrong.address);
  return addresses;
}

/** For a connection: it is made to the very addresses that were checked, so that no second answer of DNS counts. */
export const checkedLookup =
  (allowLoopback: boolean, resolve: Resolve): LookupFunction =>
  (host, options, callback) => {
    resolveAllowed(host, allowLoopback, resolve).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else if (first) callback(null, first.address, first.family);
        else callback(new Error(`${host} has no address`), '');
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
