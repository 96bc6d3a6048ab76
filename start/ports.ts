import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from './failure.ts';

/** A port that we are about to listen on, and the variable that changes it. */
export type PortUse = { variable: string; host: string; port: number };

/**
 * Makes sure that nobody else listens on our ports, before anything is started.
 * @throws StartError that names the port and its variable.
 */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  for (const use of uses) {
    for (const host of hostsOf(use.host)) {
      const code = await tryToListen(host, use.port);
      if (code) throw new StartError(complaint(use, code));
    }
  }
}

/** Systems give an outgoing connection a port above: Linux from 32768, macOS and others from 49152. */
const LOCAL = { first: 20_000, end: 32_768 };
const MOST_TRIES = 100;

/**
 * A port on the loopback interface that nobody listens on at this moment, and that no outgoing connection takes either
 * before we listen on it.
 * @throws StartError where there is none
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const port = randomInt(LOCAL.first, LOCAL.end);
    if (!(await tryToListen('127.0.0.1', port))) return port;
  }
  throw new StartError(`None of ${MOST_TRIES} ports from ${LOCAL.first} on is free on 127.0.0.1. End what uses them.`);
}

/** People open http://localhost, which a browser takes for ::1 first: somebody else there would answer for us. */
function hostsOf(host: string): string[] {
  return host === '127.0.0.1' ? ['127.0.0.1', '::1'] : [host];
}

async function tryToListen(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    server.close();
    await once(server, 'close');
    return null;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const hasNoIpv6 = host === '::1' && code !== 'EADDRINUSE';
    return hasNoIpv6 ? null : code;
  }
}

function complaint({ variable, host, port }: PortUse, code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. End that program, or choose another port with ${variable}.`;
    case 'EACCES':
      return `Port ${port} may not be used by this user. Choose a port above 1023 with ${variable}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}: HOST must be one of its own addresses, as 127.0.0.1 or 0.0.0.0.`;
    default:
      return `Port ${port} (${variable}) on ${host} can't be used: ${code}.`;
  }
}
