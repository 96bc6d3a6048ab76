import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
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

/** A port on the loopback interface that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
