import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { checkPorts, freePort } from '../../start/ports.ts';

async function takenPort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

it.each(['127.0.0.1', '0.0.0.0'])('names a port that is taken on %s, and its variable', async (host) => {
  const port = await takenPort(host);
  await expect(checkPorts([{ variable: 'SIMULATOR_PORT', host: '127.0.0.1', port }])).rejects.toThrow(
    `Port ${port} is taken by another program. End that program, or choose another port with SIMULATOR_PORT.`,
  );
});

it('knows an address that is not this machine', async () => {
  const use = { variable: 'PORT', host: '192.0.2.1', port: await freePort() };
  await expect(checkPorts([use])).rejects.toThrow('This machine has no address 192.0.2.1: HOST must be');
});

it('finds nothing wrong with free ports, and leaves them free', async () => {
  const port = await freePort();
  const use = { variable: 'PORT', host: '127.0.0.1', port };
  await checkPorts([use]);
  await checkPorts([use]);
});

it('finds a port below those that outgoing connections are given', async () => {
  const port = await takenPort('127.0.0.1');
  const given = Array.from({ length: 50 }, async () => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket.localPort!;
  });
  const found = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(Math.max(...found)).toBeLessThan(Math.min(...(await Promise.all(given))));
});
