import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Context } from 'hono';
import type { ApiEnv } from '../api/env.ts';

const INSIDE = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  INSIDE.addSubnet(net, bits);
INSIDE.addAddress('::1', 'ipv6');
INSIDE.addSubnet('fc00::', 7, 'ipv6');

/**
 * Who is at the other end. A proxy of ours stands inside the network and names the one before it last in
 * X-Forwarded-For; what anybody else writes there is not believed.
 */
export function clientAddress(c: Context<ApiEnv>): string {
  const { incoming } = c.env as { incoming?: IncomingMessage };
  const peer = plain(incoming?.socket.remoteAddress ?? '127.0.0.1');
  if (!INSIDE.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4')) return peer;
  const last = plain(c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '');
  return isIP(last) > 0 ? last : peer;
}

/** IPv4 as IPv6 writes it, without that. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');
